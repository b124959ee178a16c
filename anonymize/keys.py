"""The key that every surrogate is derived from.

Whoever has the key can test a guess ("is this surrogate Mei Kovacs?"), and without it nobody
can. It never goes into a store, a report, a log or an exception, so nothing here prints it.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, final

from anonymize.errors import KeyMaterialError

if TYPE_CHECKING:
    from anonymize.policy import ScrubPolicy

#: Shorter keys are refused: surrogates of short values could be found by trying keys.
MIN_BYTES = 16
_FILE_BYTES = 32


@final
class PseudonymKey:
    """A secret that turns values into surrogates. ``repr`` and ``str`` never show it."""

    __slots__ = ("__secret",)

    def __init__(self, secret: bytes) -> None:
        """Raises :class:`KeyMaterialError` when ``secret`` has fewer than 16 bytes."""
        if len(secret) < MIN_BYTES:
            raise KeyMaterialError(
                f"the pseudonym key has {len(secret)} bytes, at least {MIN_BYTES} are needed",
                fix='make one: python -c "import secrets; print(secrets.token_hex(32))"',
            )
        self.__secret = bytes(secret)

    @classmethod
    def from_environment(cls, name: str) -> PseudonymKey:
        """The key in environment variable ``name`` (its UTF-8 bytes, white space stripped)."""
        value = os.environ.get(name, "").strip()
        if not value:
            raise KeyMaterialError(
                "the environment variable for the pseudonym key is not set",
                where=name,
                fix="set it, or name a key file with anonymize.key_file",
            )
        return _named(value.encode(), name)

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> PseudonymKey:
        """The key in file ``path``; with ``create`` a missing file is made with a new key.

        The file is made exclusively (two processes can't make two keys) with mode 0600.

        Raises:
            KeyMaterialError: missing, not a plain file, or readable by others than its owner.
        """
        if create:
            _create(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            raise KeyMaterialError(
                "the key file does not exist", where=str(path), fix="name another, or create it"
            ) from None
        except OSError as error:
            raise KeyMaterialError(
                f"the key file can't be opened: {error.strerror}",
                where=str(path),
                fix="it must be a plain file (no link) that this user can read",
            ) from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())  # of the open file: nobody can swap it in between
            if not stat.S_ISREG(status.st_mode):
                raise KeyMaterialError("the key file is not a plain file", where=str(path))
            if os.name == "posix" and status.st_mode & 0o077:
                raise KeyMaterialError(
                    "the key file can be read by others than its owner",
                    where=f"{path} (mode {stat.S_IMODE(status.st_mode):04o})",
                    fix=f"chmod 600 {path}, and make a new key if someone may have read it",
                )
            return _named(file.read(4096).strip(), str(path))

    def digest(self, domain: str, value: str) -> bytes:
        """32 bytes: HMAC-SHA256 of ``value``, independent for each ``domain``."""
        message = domain.encode() + b"\x00" + value.encode("utf-8", "surrogatepass")
        return hmac.digest(self.__secret, message, "sha256")

    @property
    def name(self) -> str:
        """Names the key without telling it; it stands in each scrubbed trace's policy."""
        return self.digest("key id", "").hex()[:8]

    def derived(self, scope: str) -> PseudonymKey:
        """The key of a scope: whoever has it can tell nothing of the others or of this one."""
        return PseudonymKey(self.digest("scope key", scope))

    def to_worker(self) -> bytes:
        """The secret, for the pipe to a scrubbing process of one's own and nothing else."""
        return self.__secret

    def __repr__(self) -> str:
        return "PseudonymKey(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        # A pickle would be a copy of the key in a file or a queue that nobody guards.
        raise TypeError("a PseudonymKey is not pickled: load it in the process that needs it")


def load_key(policy: ScrubPolicy, root: Path = Path(), *, create: bool = True) -> PseudonymKey:
    """The key that ``policy`` names: its environment variable if set, else its key file.

    Without ``key_file`` the file is ``~/.config/replay/key``; a relative one is relative to
    ``root`` (the config's folder). With ``create`` a missing file is made; what asks about
    surrogates that exist needs the key that made them.
    """
    if os.environ.get(policy.key_env, "").strip():
        return PseudonymKey.from_environment(policy.key_env)
    if policy.key_file:
        return PseudonymKey.from_file(root / Path(policy.key_file).expanduser(), create=create)
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return PseudonymKey.from_file(Path(home).expanduser() / "replay" / "key", create=create)


def _named(secret: bytes, where: str) -> PseudonymKey:
    try:
        return PseudonymKey(secret)
    except KeyMaterialError as error:
        raise KeyMaterialError(error.what, where=where, fix=error.fix) from None


def _create(path: Path) -> None:
    """Make ``path`` with a new key, whole or not at all; an existing file stays as it is."""
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written beside and linked into place, so that another process never reads half a key.
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(_FILE_BYTES).encode() + b"\n")
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        return
    except OSError as error:
        raise KeyMaterialError(
            f"the key file can't be made: {error.strerror}",
            where=str(path),
            fix="set REPLAY_ANONYMIZE_KEY, or name a writable place with anonymize.key_file",
        ) from None
