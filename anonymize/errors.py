"""Everything this package raises on purpose, and the two values it yields instead of raising.

    AnonymizeError                 a person can mend it; the CLI prints it and exits with 2
    ├── UsageError                 a wrong option, name or config key
    ├── SourceError                a file or a server that can't be read at all
    ├── KeyMaterialError           the pseudonym key is missing, unreadable or too open
    ├── StoreError                 the store on disk is not what its manifest says
    └── AuditError                 planted values came through the scrubber

One unreadable trace among many is not an exception: it is a
:class:`~anonymize.trace.SkippedTrace`, and one that can't be scrubbed with certainty is a
:class:`~anonymize.trace.QuarantinedTrace`. Both are counted and listed.

No message here may carry trace content: it could be personal. Say where, never what it said.
"""

from __future__ import annotations


class AnonymizeError(Exception):
    """Bad input or a bad environment, with a way out for the person who reads it.

    ``what`` went wrong, ``where`` (a file, a line, a config key, a ``$.path``) and ``fix``
    (what to do next). ``str()`` puts the three on separate lines.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only fields don't survive a process boundary by themselves.
        return (_rebuild, (type(self), self.what, self.where, self.fix))

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  do:    {self.fix}")
        return "\n".join(lines)


def _rebuild(kind: type[AnonymizeError], what: str, where: str, fix: str) -> AnonymizeError:
    return kind(what, where=where, fix=fix)


class UsageError(AnonymizeError):
    """A wrong option, an unknown name, a config key that doesn't exist."""


class SourceError(AnonymizeError):
    """A source that can't be read at all (missing, empty, truncated, of another format)."""


class KeyMaterialError(AnonymizeError):
    """The key that surrogates are derived from can't be had safely."""


class StoreError(AnonymizeError):
    """The store on disk contradicts its manifest, or was written by a newer version."""


class AuditError(AnonymizeError):
    """Values that were planted came through the scrubber: nothing it made can be trusted."""
