"""Telling people and machines how a night went: webhook, Slack-compatible hook, e-mail.

What is sent holds counts and the names of behaviours, which come from scrubbed traces; no values
of traces. A message that can't be delivered is said in the log and changes no verdict.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Literal

from anonymize.errors import UsageError

_TRIES = (0.0, 1.0, 5.0)
_SECONDS = 20.0
_MOST_GROUPS = 10
#: The verdict of a day without traffic, where that is usual.
QUIET = "no traffic"
#: What a server asks to wait for is waited for up to this.
_LONGEST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """``[nightly.notify]``. Addresses that are secrets are names of environment variables.

    ``when``: ``always``, ``bad`` (anything but a pass), or ``change`` (another verdict than the
    night before, or anything but a pass). A day without traffic is nothing bad and no change where
    that is usual. ``webhook``: a URL that is sent JSON, signed with the
    secret in ``webhook_secret_env`` if that is named. ``slack_env``: the variable with the URL of a
    Slack-compatible incoming hook. ``email_to``, ``email_from``, ``smtp`` (``host:port``),
    ``smtp_user_env``, ``smtp_password_env``: e-mail; ``smtp_tls``: ``starttls``, ``tls`` or
    ``none``. ``report_url``: where people find the report, with ``{run}`` for its name.
    """

    when: Literal["always", "bad", "change"] = "always"
    webhook: str = ""
    webhook_secret_env: str = ""
    slack_env: str = ""
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    smtp: str = ""
    smtp_user_env: str = ""
    smtp_password_env: str = ""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    report_url: str = ""


def wanted(settings: NotifySettings, verdict: str, before: str | None) -> bool:
    """Whether this verdict is to be told, after that of the night ``before``."""
    if settings.when == "always" or verdict not in ("pass", QUIET):
        return True
    if verdict == QUIET:
        return False
    return settings.when == "change" and before is not None and before != verdict


def payload_of(document: Mapping[str, Any], settings: NotifySettings) -> dict[str, Any]:
    """The message for machines, out of a report's document."""
    run = str(document["run"]["run_id"])
    groups = [
        {key: group[key] for key in ("id", "title", "code", "severity", "verdict", "count")}
        for group in document["groups"][:_MOST_GROUPS]
    ]
    counts = document["counts"]
    sentence = document["verdict"]["sentence"]
    return {
        "schema": 1,
        "delivery": delivery(run, sentence),
        "run": run,
        "candidate": document["run"]["candidate"],
        "baseline": document["run"]["baseline"],
        "verdict": document["verdict"]["status"],
        "exit_code": document["verdict"]["exit_code"],
        "sentence": sentence,
        "counts": {k: v for k, v in counts.items() if isinstance(v, int)},
        "groups": groups,
        "more_groups": max(0, len(document["groups"]) - _MOST_GROUPS),
        "report": settings.report_url.replace("{run}", run),
    }


def failure(day: str, candidate: str, what: str) -> dict[str, Any]:
    """The same for a night that could not be done; ``what`` is the error's sentence."""
    return {
        "schema": 1,
        "delivery": delivery(day, what),
        "run": day,
        "candidate": candidate,
        "baseline": "",
        "verdict": "could not run",
        "exit_code": 2,
        "sentence": what,
        "counts": {},
        "groups": [],
        "more_groups": 0,
        "report": "",
    }


def delivery(run: str, sentence: str) -> str:
    """What names a message, however often it is sent."""
    return hashlib.sha256(f"{run}\0{sentence}".encode()).hexdigest()[:20]


def notify(
    payload: Mapping[str, Any],
    settings: NotifySettings,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Send ``payload`` to all that are named; a sentence for each that could not be reached.

    Raises:
        UsageError: a setting is wrong, or the environment lacks a secret. Nothing was sent.
    """
    return list(deliver(payload, settings, sleep=sleep).values())


def deliver(
    payload: Mapping[str, Any],
    settings: NotifySettings,
    *,
    only: Collection[str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """The same; ``only`` names the ways to take. The sentences come by the way that failed.

    Each way is tried three times, and a server that says how long it wants to be left alone is
    left alone so long. What a server refuses for good (400, 401, 404) is not sent again at once.

    Raises:
        UsageError: as :func:`notify`.
    """
    failed = {}
    for name, send in _ways(payload, settings):
        reason = _sent(send, sleep) if only is None or name in only else ""
        if reason:
            failed[name] = f"{name} could not be reached ({reason})"
    return failed


def _sent(send: Callable[[], None], sleep: Callable[[float], None]) -> str:
    """Try it; why it did not work, or an empty text."""
    reason, asked = "", 0.0
    for wait in _TRIES:
        sleep(max(wait, asked))
        try:
            send()
        except (OSError, smtplib.SMTPException, http.client.HTTPException) as error:
            status = error.code if isinstance(error, urllib.error.HTTPError) else 0
            reason = str(status) if status else type(error).__name__
            if 300 <= status < 500 and status not in (408, 425, 429):
                break  # it will not take it in a minute either
            asked = _asked_to_wait(error)
        else:
            return ""
    return reason


def _asked_to_wait(error: Exception) -> float:
    """Seconds that a server wants to be left alone (``Retry-After``), at most a minute."""
    if not isinstance(error, urllib.error.HTTPError):
        return 0.0
    said = error.headers.get("Retry-After", "") if error.headers else ""
    return min(float(said), _LONGEST) if said.isdigit() else 0.0


def check(settings: NotifySettings) -> None:
    """Whether everybody could be told, as far as settings and environment go.

    Raises:
        UsageError: as :func:`notify`.
    """
    nothing = {"run": "", "verdict": "", "sentence": "", "groups": (), "more_groups": 0}
    _ways({**nothing, "report": ""}, settings)


def _ways(
    payload: Mapping[str, Any], settings: NotifySettings
) -> Sequence[tuple[str, Callable[[], None]]]:
    ways: list[tuple[str, Callable[[], None]]] = []
    if settings.webhook:
        secret = _secret(settings.webhook_secret_env, "webhook_secret_env")
        url = _url(settings.webhook, "webhook")
        ways.append(("the webhook", lambda: _post(url, dict(payload), secret)))
    if settings.slack_env:
        hook = _url(_secret(settings.slack_env, "slack_env"), "slack_env")
        ways.append(("the Slack hook", lambda: _post(hook, slack_message(payload), "")))
    if settings.email_to:
        if not settings.smtp or not settings.email_from:
            raise UsageError(
                "an e-mail needs a server and a sender",
                where="[nightly.notify]",
                fix='add: smtp = "host:587" and email_from = "..."',
            )
        user = _secret(settings.smtp_user_env, "smtp_user_env")
        password = _secret(settings.smtp_password_env, "smtp_password_env")
        message = email_message(payload, settings)
        ways.append(("the mail server", lambda: _mail(message, settings, user, password)))
    return ways


def _secret(variable: str, key: str) -> str:
    if not variable:
        return ""
    value = os.environ.get(variable, "")
    if not value:
        raise UsageError(
            f"the environment variable {variable} is empty", where=f"[nightly.notify] {key}"
        )
    return value


def _url(text: str, key: str) -> str:
    if not text.startswith(("https://", "http://")):
        # The text itself may be a secret.
        raise UsageError("this is no http(s) URL", where=f"[nightly.notify] {key}")
    return text


def signature(body: bytes, timestamp: str, secret: str) -> str:
    """What ``X-Replay-Signature`` holds: HMAC-SHA256 of the time, a dot and the body, in hex."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _post(url: str, message: Mapping[str, Any], secret: str) -> None:
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "replay"}
    if "delivery" in message:
        # The same however often it is sent: a receiver can tell what it had already.
        headers["X-Replay-Delivery"] = str(message["delivery"])
    if secret:
        stamp = str(int(time.time()))
        headers["X-Replay-Timestamp"] = stamp
        headers["X-Replay-Signature"] = signature(body, stamp, secret)
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  checked
    with _OPENER.open(request, timeout=_SECONDS) as answer:
        answer.read(1_000)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a POST would become a GET, and the body and its signature be lost."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def slack_message(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks as Slack and those that speak its language take them; no markup of traces."""
    lines = [f"*{_escaped(g['title'])}* ({g['count']})" for g in payload["groups"][:5]]
    if payload["more_groups"] or len(payload["groups"]) > 5:
        lines.append(f"... and {len(payload['groups']) - len(lines) + payload['more_groups']} more")
    head = f"{_MARK.get(payload['verdict'], '')} {payload['verdict']}: {payload['run']}".strip()
    text = f"{head}\n{_escaped(payload['sentence'])}"
    parts = [text, *lines]
    if payload["report"]:
        parts.append(f"<{payload['report']}|report>")
    return {
        "text": head,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(parts)[:2900]}}
        ],
    }


_MARK = {
    "pass": ":white_check_mark:",
    "regressed": ":x:",
    "inconclusive": ":grey_question:",
    "could not run": ":warning:",
    QUIET: ":zzz:",
}


def _escaped(text: str) -> str:
    """Slack's three characters; and no ``*`` that would open a bold text."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("*", "\u2217")


def email_message(payload: Mapping[str, Any], settings: NotifySettings) -> EmailMessage:
    """The same in plain text."""
    message = EmailMessage()
    message["Subject"] = f"replay {payload['run']}: {payload['verdict']}"
    message["From"] = settings.email_from
    message["To"] = ", ".join(settings.email_to)
    lines = [str(payload["sentence"]), ""]
    lines += [f"- {g['title']} ({g['count']} traces, {g['severity']})" for g in payload["groups"]]
    if payload["more_groups"]:
        lines.append(f"- ... {payload['more_groups']} more")
    if payload["report"]:
        lines += ["", str(payload["report"])]
    message.set_content("\n".join(lines))
    return message


def _mail(message: EmailMessage, settings: NotifySettings, user: str, password: str) -> None:
    host, _, port = settings.smtp.partition(":")
    context = ssl.create_default_context()
    if settings.smtp_tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, int(port or 465), timeout=_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(host, int(port or 587), timeout=_SECONDS)
    with server:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
        if user:
            server.login(user, password)
        server.send_message(message)
