"""What must hold for surrogates: one entity one surrogate, two entities two, twice is once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

from anonymize.trace import Trace
from benchmarks.pii import people
from benchmarks.pii.engines import Engine, texts_of
from benchmarks.pii.people import Person, plain
from benchmarks.pii.probe import HALVES, SEED, Probe
from benchmarks.pii.score import Board, Failure

_PEOPLE = 60
# Where a form stands, and what the new person's (first, last) must have become there.
_FORMS = (
    "{f} {l}", "{F} {L}", "{fl} {ll}", "{l}, {f}", "Ms. {l}", "{f}", "{pf}_{pl}_8020",
    "{pf}.{pl}@gmail.com", "{pf}{pl}", "{i}{pl}", "{f}{l}", "{F}/{L}", "{l} {f}", "{i0}. {l}",
)  # fmt: skip
_GLUED = ("{pf}{pl}", "{i}{pl}", "{f}{l}")


def linked(engine: Engine, board: Board, row: str = "one person, one surrogate") -> None:
    """All forms of a name in one trace become the same forms of one other name; hit = it did.

    The trace is a user record, then notes that hold one form each. Handles without any boundary
    between the names are a row of their own (``ROW, glued``).
    """
    for held in HALVES:
        rng = random.Random(f"{SEED} linked {held}")
        crowd = [p for p in people.people(rng, held, 3 * _PEOPLE) if _plainly(p)][:_PEOPLE]
        made = engine.scrub([_record(who, number) for number, who in enumerate(crowd)])
        for who, trace in zip(crowd, made, strict=True):
            for form, before, after in _compare(who, trace):
                ok = after == before
                failure = None if ok else Failure(
                    row=row, where=form, value=who.name, text=f"expected {before}", result=after
                )  # fmt: skip
                board.count(f"{row}, glued" if form in _GLUED else row, held, ok, failure)


def everywhere(engine: Engine, board: Board, row: str = "the same in every trace") -> None:
    """The same person in other words, in another trace: the same surrogate."""
    for held in HALVES:
        crowd = people.people(random.Random(f"{SEED} everywhere {held}"), held, _PEOPLE)
        frames = (
            '{"first_name": "%s", "last_name": "%s"}',
            '{"guest": {"name": "%s %s"}, "nights": 2}',
        )
        one, two = (texts_of(engine, [f % (p.first, p.last) for p in crowd]) for f in frames)
        for who, a, b in zip(crowd, one, two, strict=True):
            first = list(json.loads(a).values()) if a else []
            second = json.loads(b)["guest"]["name"] if b else ""
            ok = bool(first) and " ".join(first) == second != who.name
            failure = None if ok else Failure(
                row=row, where="two traces", value=who.name, text=str(a), result=str(b)
            )  # fmt: skip
            board.count(row, held, ok, failure)


def records(count: int) -> list[dict[str, str]]:
    """That many customers of whom no two share a name, e-mail, phone or id."""
    rng = random.Random(f"{SEED} records")
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        who = people.person(rng, rng.random() < 0.5)
        number = len(found)
        name = f"{who.first} {rng.choice('ABCDEFGHIJKLMNOPRSTUVW')}. {who.last}"
        if name in found:
            continue
        found[name] = {
            "full_name": name,
            "email": f"{plain(who.first)}.{plain(who.last)}{number}@web.de",
            "phone": f"+1-415-{200 + number // 10000}-{number % 10000:04}",
            "customer_id": f"CUST-{100000 + number}",
        }
    return list(found.values())


def collisions(engine: Engine, count: int) -> dict[str, int]:
    """How many of ``count`` distinct names, e-mails, phones and ids share a surrogate, by kind."""
    rows = records(count)
    traces = [
        Trace(trace_id=str(at), input={"customers": rows[at : at + 1000]})
        for at in range(0, count, 1000)
    ]
    made = [row for t in engine.scrub(traces) if t is not None for row in t.input["customers"]]
    return {key: len(made) - len({row[key] for row in made}) for key in rows[0]} | {
        "set aside": count - len(made)
    }


def twice(
    engine: Engine, probes: Sequence[Probe], board: Board, row: str = "changed when scrubbed twice"
) -> None:
    """Scrubbed texts are scrubbed again; hit = that changed them."""
    once = texts_of(engine, [probe.text for probe in probes])
    done = [(probe, text) for probe, text in zip(probes, once, strict=True) if text is not None]
    again = texts_of(engine, [text for _, text in done])
    for (probe, before), after in zip(done, again, strict=True):
        changed = before != after
        failure = Failure(
            row=row, where=probe.row, value=probe.value, text=before, result=str(after)
        ) if changed else None  # fmt: skip
        board.count(row, probe.held, changed, failure)


def _plainly(who: Person) -> bool:
    """Names that a handle can be made from and compared: letters of one word."""
    return who.name.replace(" ", "").isalpha() and len(plain(who.first)) > 2 < len(plain(who.last))


def _written(first: str, last: str) -> dict[str, str]:
    glued, family = plain(first), plain(last)
    fields = {
        "f": first, "l": last, "F": first.upper(), "L": last.upper(), "fl": first.lower(),
        "ll": last.lower(), "pf": glued, "pl": family, "i": glued[:1], "i0": first[:1],
    }  # fmt: skip
    return {form: form.format(**fields) for form in _FORMS}


def _record(who: Person, number: int) -> Trace:
    forms = _written(who.first, who.last)
    user = {"name": {"first_name": who.first, "last_name": who.last}, "user_id": forms[_FORMS[6]]}
    notes = [f"note {at}: {text} called" for at, text in enumerate(forms.values())]
    return Trace(trace_id=str(number), input={"user": user}, output=notes)


def _compare(who: Person, trace: Trace | None) -> Iterator[tuple[str, str, str]]:
    """(form, what the new name would be in it, what is there); digits and sites may differ."""
    if trace is None:
        yield from ((form, "", "(quarantined)") for form in _FORMS)
        return
    name = trace.input["user"]["name"]
    expected = _written(name["first_name"], name["last_name"])
    if name["first_name"] == who.first or name["last_name"] == who.last:
        expected = dict.fromkeys(expected, "(another name)")
    for (form, wanted), note in zip(expected.items(), trace.output, strict=True):
        found = note.split(": ", 1)[1].removesuffix(" called")
        if "@" in form:
            wanted, found = wanted.split("@")[0], found.split("@")[0]
        if "8020" in form:
            wanted, found = wanted.rsplit("_", 1)[0], found.rsplit("_", 1)[0]
        yield form, wanted, found
