"""Within what a value always has the same surrogate: the whole data set, a tenant, or a session.

Each scope has a key of its own, derived from the root key and a *token* that names the scope.
Values of one person become another person in each scope, so nobody can follow somebody, or test
a guess made in one, across scopes. The checks by which a surrogate is recognised are of the root
key: scrubbing twice, trusted values and replays work whatever the scope.

The token is a keyed digest of the tenant's name or the session's id, which scrubbing may change.
It stays with the trace, as the tag ``anonymize.scope``: a trace that was scrubbed, and each replay
of it, belongs to the scope of its recording because it carries the token, and only who has the
key can make one that counts.

A trace that names no tenant, or no session, is a scope of its own: it is then linked with nothing
at all, where the other choice would link it with everything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy

if TYPE_CHECKING:
    from anonymize.surrogates import Surrogates
    from anonymize.trace import Trace

#: Carries the token of a scrubbed trace's scope. Absent where the scope is the whole data set.
SCOPE_TAG = "anonymize.scope"
#: The token of the data set.
DATASET = ""
#: Scopes whose caches are in memory at a time; a batch has at most 64.
_KEPT = 128
_BODY, _CHECK = 20, 12


class Scopes:
    """Which scope a trace is in, and the surrogates of a scope."""

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey, surrogates: Surrogates) -> None:
        self._policy = policy
        self._key = key
        self._root = surrogates
        self._scoped = lru_cache(_KEPT)(surrogates.scoped)

    def token(self, trace: Trace) -> str:
        """The token of the trace's scope; one that it carries already counts."""
        carried = trace.tags.get(SCOPE_TAG, "")
        if self.is_token(carried):
            return carried
        if self._policy.scope == "dataset":
            return DATASET
        tenant = self._policy.scope == "tenant"
        value = trace.tags.get(self._policy.tenant_tag) if tenant else trace.session_id
        return self.named(value) if value else self._token("trace", trace.trace_id)

    def named(self, value: str) -> str:
        """The token of the tenant or the session called ``value``; of the data set, the same."""
        if self.is_token(value):
            return value
        if self._policy.scope == "dataset":
            return DATASET
        return self._token(self._policy.scope, value)

    def renamed(self, token: str) -> str:
        """The token of this key for the scope that another key calls ``token``."""
        return self._token("of another key", token) if token else DATASET

    def is_token(self, text: str) -> bool:
        """Whether ``text`` is a token that this key made."""
        body, check = text[:_BODY], text[_BODY:]
        return len(text) == _BODY + _CHECK and check == self._check(body)

    def surrogates(self, token: str) -> Surrogates:
        """The surrogates of the scope."""
        return self._root if token == DATASET else self._scoped(token)

    def _token(self, kind: str, value: str) -> str:
        body = self._key.digest("scope", f"{kind}\0{value}").hex()[:_BODY]
        return body + self._check(body)

    def _check(self, body: str) -> str:
        return self._key.digest("scope/check", body).hex()[:_CHECK]


def bare(trace: Trace) -> Trace:
    """The trace without its token, which no recognizer should have to look at."""
    if SCOPE_TAG not in trace.tags:
        return trace
    return _tagged(trace, {k: v for k, v in trace.tags.items() if k != SCOPE_TAG})


def marked(trace: Trace, token: str) -> Trace:
    """The trace with the token of its scope."""
    return _tagged(trace, {**trace.tags, SCOPE_TAG: token}) if token else trace


def _tagged(trace: Trace, tags: Mapping[str, str]) -> Trace:
    return dataclasses.replace(trace, tags=tags)
