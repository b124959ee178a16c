"""What of a request's and a response's head may be kept, and addresses without credentials.

Lists of what is kept, not of what is left out: a header that nobody thought of may carry a key,
a cookie or a customer's name. A response keeps what clients and SDKs act on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_REQUEST = frozenset(
    "accept accept-encoding anthropic-beta anthropic-version content-encoding content-type "
    "mcp-protocol-version openai-beta range user-agent x-amz-target".split()
)
_RESPONSE = frozenset(
    "accept-ranges age allow cache-control content-disposition content-encoding content-language "
    "content-length content-range content-type date deprecation etag expires last-modified link "
    "location mcp-protocol-version mcp-session-id openai-processing-ms openai-version "
    "request-id retry-after retry-after-ms server sunset traceresponse vary www-authenticate "
    "x-amz-crc32 x-amzn-errortype x-amzn-requestid x-content-type-options x-request-id "
    "x-should-retry".split()
)
_PREFIXES = tuple(
    "anthropic-ratelimit- ratelimit x-amzn-bedrock- x-goog-upload- x-ratelimit-".split()
)
_ADDRESSES = frozenset({"location", "link", "x-goog-upload-url"})

#: Query parameters that hold credentials, or change with every signature made of them.
_SECRET = re.compile(
    r"(?:api[-_]?|access[-_]?|auth[-_]?|client[-_]?|private[-_]?|subscription[-_]?|x-api-)*key"
    # A token that says where a list goes on is none of them, and makes two requests different.
    r"|(?!(?:next|page|continuation|sync|resume|start|cursor)[-_]?\w*token).*token"
    r"|.*(?:secret|password|passwd|signature)|pwd|sig|appid|sas|jwt|.*api[-_]?key"
    r"|auth|authorization|credentials?"
    r"|x-(?:amz|goog)-(?:credential|date)|awsaccesskeyid",
    re.IGNORECASE,
)
#: Parameters that some versions of an SDK send and others don't, without any effect.
_NEUTRAL = {"/v1/messages": frozenset({"beta"})}
_PLAIN = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9/._~!$&'()*+,;=:@-]*")
_SLASH = re.compile("%2f", re.IGNORECASE)
_SAFE = "/:@!$&'()*+,;=~"
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s<>\"';,]+|[?][^\s<>\"';,]+", re.IGNORECASE)


def kept_request_headers(headers: Mapping[str, object]) -> dict[str, list[str]]:
    """The request headers that may be kept; names in lower case."""
    return {k: v for k, v in _lists(headers) if k in _REQUEST}


def kept_response_headers(headers: Mapping[str, object]) -> dict[str, list[str]]:
    """The response headers that may be kept; names in lower case, addresses cleaned."""
    kept = {k: v for k, v in _lists(headers) if k in _RESPONSE or k.startswith(_PREFIXES)}
    for name in _ADDRESSES & kept.keys():
        kept[name] = [_URL.sub(lambda m: without_secrets(m[0]), value) for value in kept[name]]
    return kept


def first(headers: Mapping[str, list[str]], name: str) -> str:
    """The first value of a header in lower case, or an empty text."""
    return (headers.get(name) or [""])[0]


def without_secrets(uri: str) -> str:
    """The address with the values of credentials left out, and without user and fragment."""
    if "?" not in uri and "@" not in uri and "#" not in uri:
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets that are no IPv6 address
        return uri.partition("?")[0]
    pairs = parts.query.split("&") if parts.query else []
    query = "&".join(
        f"{name}=" if equals and is_secret(name) else f"{name}{equals}{value}"
        for name, equals, value in (pair.partition("=") for pair in pairs)
    )
    return urlunsplit(
        parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="")
    )


def is_secret(name: str) -> bool:
    """Whether a query parameter or form field of this name holds a credential."""
    return _SECRET.fullmatch(name) is not None


def canonical_uri(uri: str, ignored_query: Iterable[str] = ()) -> str:
    """One text for addresses that mean the same: order of the query, case of the host, a default
    port, credentials and the parameters in ``ignored_query`` don't count.
    """
    if _PLAIN.fullmatch(uri):
        return uri  # most calls to an API, by far
    try:
        parts = urlsplit(without_secrets(uri))
    except ValueError:
        return uri.partition("?")[0]
    ignored = frozenset(ignored_query)
    for end, names in _NEUTRAL.items():
        if parts.path.endswith(end):
            ignored |= names
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if pair[0] not in ignored))
    scheme = parts.scheme.lower()
    netloc = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(scheme, ":"))
    # Some clients escape more than others; an escaped slash is another thing than a slash.
    path = "%2F".join(quote(unquote(part), safe=_SAFE) for part in _SLASH.split(parts.path or "/"))
    return urlunsplit((scheme, netloc, path, query, ""))


def _lists(headers: Mapping[str, object]) -> Iterable[tuple[str, list[str]]]:
    for name, value in headers.items():
        values = value if isinstance(value, list | tuple) else [value]
        yield name.lower(), [_text(v) for v in values]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
