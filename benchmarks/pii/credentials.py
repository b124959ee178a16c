"""Invented secrets: formats that providers prefix, and bare strings that only look random."""

from __future__ import annotations

import base64
import json
import random
import string

from benchmarks.pii.probe import Piece, Value, half

_ALNUM = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits
_URLSAFE = _ALNUM + "_-"
_HEX = "0123456789abcdef"
_BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_SSH = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA{}\n-----END OPENSSH PRIVATE KEY-----"
)
_AZURE = "DefaultEndpointsProtocol=https;AccountName=invoices;AccountKey={}==;EndpointSuffix=core.windows.net"  # noqa: E501

# name: (prefix, alphabet, length, suffix); the alphabet's part must go.
_SHAPES: dict[str, tuple[str, str, int, str]] = {
    "openai": ("sk-", _ALNUM, 48, ""), "openai project": ("sk-proj-", _URLSAFE, 64, ""),
    "anthropic": ("sk-ant-api03-", _URLSAFE, 93, "AA"), "aws id": ("AKIA", _UPPER, 16, ""),
    "aws session": ("ASIA", _UPPER, 16, ""), "github": ("ghp_", _ALNUM, 36, ""),
    "github server": ("ghs_", _ALNUM, 36, ""), "github fine": ("github_pat_", _ALNUM + "_", 82, ""),
    "gitlab": ("glpat-", _URLSAFE, 20, ""), "slack bot": ("xoxb-2384719203-", _ALNUM, 24, ""),
    "slack user": ("xoxp-5583920174-", _HEX, 32, ""), "slack app": ("xapp-1-A04BX-", _HEX, 40, ""),
    "stripe": ("sk_live_", _ALNUM, 24, ""), "stripe restricted": ("rk_live_", _ALNUM, 24, ""),
    "webhook": ("whsec_", _ALNUM, 32, ""), "google": ("AIza", _URLSAFE, 35, ""),
    "google oauth": ("ya29.", _URLSAFE, 60, ""), "google client": ("GOCSPX-", _URLSAFE, 28, ""),
    "sendgrid": ("SG.", _URLSAFE, 22, ".{b43}"), "twilio": ("SK", _HEX, 32, ""),
    "npm": ("npm_", _ALNUM, 36, ""), "pypi": ("pypi-AgEIcHlwaS5vcmc", _URLSAFE, 60, ""),
    "huggingface": ("hf_", string.ascii_letters, 34, ""), "digitalocean": ("dop_v1_", _HEX, 64, ""),
    "shopify": ("shpat_", _HEX, 32, ""), "mailchimp": ("", _HEX, 32, "-us14"),
    "groq": ("gsk_", _ALNUM, 52, ""), "databricks": ("dapi", _HEX, 32, ""),
    "vault": ("hvs.", _URLSAFE, 90, ""), "linear": ("lin_api_", _ALNUM, 40, ""),
    "telegram": ("7381920465:AA", _URLSAFE, 33, ""), "square": ("sq0atp-", _URLSAFE, 22, ""),
    "notion": ("ntn_", _ALNUM, 46, ""), "age": ("AGE-SECRET-KEY-1", _BECH32, 58, ""),
    "perplexity": ("pplx-", _ALNUM, 48, ""), "replicate": ("r8_", _ALNUM, 37, ""),
    "atlassian": ("ATATT3x", _URLSAFE, 180, ""), "grafana": ("glsa_", _ALNUM, 32, "_{h8}"),
    "new relic": ("NRAK-", _UPPER, 27, ""), "discord": ("MTA4", _ALNUM, 20, ".G7aQx2.{b38}"),
}  # fmt: skip
_MADE = ("jwt", "pem", "database url", "http url", "bearer", "basic", "ssh key", "azure storage",
         "amqp url", "redis url", "private key ec", "cookie")  # fmt: skip
#: The issue names these: both halves have them.
_NAMED = ("openai", "aws id", "github", "slack bot", "jwt", "pem", "database url", "http url")
FORMATS = (*_SHAPES, *_MADE)


def formats(held: bool) -> list[str]:
    """The formats of one half: those that the issue names, and half of the others."""
    return [*_NAMED, *half([f for f in FORMATS if f not in _NAMED], "secret", held)]


def secret(rng: random.Random, held: bool) -> Value:
    """A secret in a format that its prefix or its surroundings tell."""
    name = rng.choice(formats(held))
    return secret_of(rng, name)


def secret_of(rng: random.Random, name: str) -> Value:
    """A secret in the format ``name``."""
    if name in _SHAPES:
        prefix, alphabet, length, suffix = _SHAPES[name]
        body = draw(rng, alphabet, length)
        end = suffix.format(b43=draw(rng, _URLSAFE, 43), b38=draw(rng, _URLSAFE, 38),
                            h8=draw(rng, _HEX, 8))  # fmt: skip
        return Value(text=prefix + body + end, must=(("part", body),), fields={"what": name})
    text, hidden = _made(rng, name)
    must: tuple[Piece, ...] = tuple(("part", part) for part in hidden)
    return Value(text=text, must=must, fields={"what": name})


def bare(rng: random.Random, held: bool) -> Value:
    """A random string without any prefix: 20 to 64 characters of one of five alphabets."""
    alphabet, least, most = rng.choice(
        ((_ALNUM, 24, 48), (_URLSAFE, 32, 64), (_ALNUM + "+/", 40, 40), (_HEX, 32, 64),
         (_ALNUM + "!@#$%^&*", 16, 24), (_UPPER, 20, 32))
    )  # fmt: skip
    text = draw(rng, alphabet, rng.randint(least, most))
    return Value(text=text, must=(("part", text[4:-4]),))


def draw(rng: random.Random, alphabet: str, length: int) -> str:
    """Random characters that begin and end with a letter or digit, mixed as real ones are."""
    inner = "".join(rng.choice(alphabet) for _ in range(length - 2))
    ends = [c for c in alphabet if c.isalnum()]
    return rng.choice(ends) + inner + rng.choice(ends)


def _made(rng: random.Random, name: str) -> tuple[str, list[str]]:
    key, password = draw(rng, _ALNUM, 32), draw(rng, _ALNUM, rng.randint(9, 18))
    if name == "jwt":
        body = _b64({"sub": draw(rng, _HEX, 12), "iat": rng.randrange(10**9), "role": "agent"})
        sign = draw(rng, _URLSAFE, 43)
        return f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{body}.{sign}", [body, sign]
    if name in ("pem", "private key ec"):
        kind = "RSA PRIVATE KEY" if name == "pem" else "EC PRIVATE KEY"
        lines = [draw(rng, _ALNUM + "+/", 64) for _ in range(3)]
        return f"-----BEGIN {kind}-----\n" + "\n".join(lines) + f"\n-----END {kind}-----", lines
    if name == "bearer":
        return f"Authorization: Bearer {key}", [key]
    if name == "basic":
        code = base64.b64encode(f"svc_sync:{password}".encode()).decode().rstrip("=")
        return f"Authorization: Basic {code}", [code]
    if name == "ssh key":
        body = draw(rng, _ALNUM + "+/", 180)
        return _SSH.format(body), [body]
    if name == "azure storage":
        key = draw(rng, _ALNUM + "+/", 86)
        return _AZURE.format(key), [key]
    if name == "cookie":
        return f"Set-Cookie: sessionid={key}; HttpOnly; Path=/", [key]
    url = {
        "database url": "postgresql://app_rw:{p}@db.prod.example.net:5432/orders",
        "http url": "https://deploy:{p}@git.example.org/ops/charts.git",
        "amqp url": "amqps://worker:{p}@rabbit.example.net/jobs",
        "redis url": "redis://:{p}@cache.example.net:6379/0",
    }[name]
    return url.replace("{p}", password), [password]


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
