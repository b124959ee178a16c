"""Two runs that leave the world in the same state are equal, however they read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import UsageError
from anonymize.trace import LLMCall, ToolDefinition, Trace
from replay.compare import ToolCatalog
from replay.config import ReplayConfig
from tests.compare.builders import REJECTED, TIMEOUT, call, codes, diff, make_trace, replayed, the
from tests.compare.tau2 import read_tau2
from tests.support import shared
from tests.timing import at_most


def table(**tools):
    """The tables of a config, as a run would read them."""
    return ReplayConfig.from_tables({"tools": tools}).tools


def left(ours, theirs, **options):
    """What the two lists of calls leave; that no effect gates where it is the same."""
    found = diff(make_trace(*ours), make_trace(*theirs), **options)
    back = diff(make_trace(*theirs), make_trace(*ours), **options)
    assert found.state == back.state
    if found.state == "same":
        gating = {d.severity for d in found.divergences if d.code.startswith("EFFECT_")}
        assert gating <= {"minor", "info"}, found.divergences
        assert found.verdict != "regressed"
    return found.state


ADDRESS = {"street": "Main St 1", "city": "Oslo", "zip": "0150"}
OTHER = {"street": "Side St 9", "city": "Bergen", "zip": "5003"}


def status(value, order="A1"):
    return call("set_status", order_id=order, status=value)


def pay(amount=40, order="A1", **more):
    return call("issue_refund", order_id=order, amount=amount, **more)


SAME = {
    "a value set twice": ([status("open")], [status("open"), status("open")]),
    "a value set in place of another": ([status("open")], [status("shut"), status("open")]),
    "a PUT over HTTP": (
        [call("PUT /orders/{id}", id="A1", status="open")],
        [call("PUT /orders/{id}", id="A1", status="open")] * 2,
    ),
    "a file written over": (
        [call("write_file", path="a.txt", content="two")],
        [call("write_file", path="a.txt", content=c) for c in ("one", "two")],
    ),
    "an address in place of another": (
        [call("update_order_address", order_id="A1", **ADDRESS)],
        [
            call("update_order_address", order_id="A1", **OTHER),
            call("update_order_address", order_id="A1", **ADDRESS),
        ],
    ),
    "two updates that together say what one says": (
        [call("update_user", user_id="u1", city="Oslo", phone="555")],
        [call("update_user", user_id="u1", city=c) for c in ("Oslo",)]
        + [call("update_user", user_id="u1", phone="555")],
    ),
    "writes to other things in another order": (
        [pay(order="A1"), pay(order="B2"), status("open", "C3")],
        [status("open", "C3"), pay(order="B2"), pay(order="A1")],
    ),
    "additions to one thing in another order": (
        [pay(40), call("send_email", order_id="A1", body="hi")],
        [call("send_email", order_id="A1", body="hi"), pay(40)],
    ),
    "other values of one thing set in another order": (
        [status("open"), call("update_address", order_id="A1", city="Oslo")],
        [call("update_address", order_id="A1", city="Oslo"), status("open")],
    ),
    "a write that failed": ([pay()], [pay(error=REJECTED), pay()]),
    "a write to the wrong thing that failed": ([pay()], [pay(order="ZZ", error=REJECTED), pay()]),
    "a deletion that was repeated": (
        [call("delete_file", path="a.txt")],
        [call("delete_file", path="a.txt"), call("delete_file", path="a.txt")],
    ),
    "items in another order": (
        [call("return_items", order_id="A1", items=["a", "b"])],
        [call("return_items", order_id="A1", items=["b", "a"])],
    ),
    "two lists that are reordered together": (
        [call("exchange_items", order_id="A1", items=["a", "b"], new_items=["c", "d"])],
        [call("exchange_items", order_id="A1", items=["b", "a"], new_items=["d", "c"])],
    ),
    "nothing, said as null": (
        [call("create_event", title="x", participants=None)],
        [call("create_event", title="x")],
    ),
    "a number as text": (
        [call("create_event", title="x", seats=2)],
        [call("create_event", title="x", seats="2")],
    ),
    "something that was so already": (
        [pay()],
        [pay(), call("enable_roaming", {"line": "L1"}, "Roaming was already enabled")],
    ),
    "a toggle that was toggled back": (
        [],
        [call("toggle_roaming", line_id="L1"), call("toggle_roaming", line_id="L1")],
    ),
    "two lines of one customer in another order": (
        [
            call("resume_line", customer_id="C1", line_id="L1"),
            call("refuel_data", customer_id="C1", line_id="L2", gb=2),
        ],
        [
            call("refuel_data", customer_id="C1", line_id="L2", gb=2),
            call("resume_line", customer_id="C1", line_id="L1"),
        ],
    ),
    "an order that is named inside, updated again": (
        [call("update_order", order={"id": "A1", "status": "shut"})],
        [call("update_order", order={"id": "A1", "status": s}) for s in ("open", "shut")],
    ),
    "orders that are named inside, in another order": (
        [call("update_order", order={"id": o, "status": "open"}) for o in ("A1", "B2")],
        [call("update_order", order={"id": o, "status": "open"}) for o in ("B2", "A1")],
    ),
    "the same idempotency key": (
        [pay(error=TIMEOUT, idempotency_key="k1")],
        [pay(error=TIMEOUT, idempotency_key="k1"), pay(idempotency_key="k1")],
    ),
    "a case that is handed over as well": (
        [pay()],
        [pay(), call("transfer_to_human_agents", summary="done")],
    ),
    "a conversion of a tool that only looks": (
        [pay()],
        [call("execute_sql", query="SELECT * FROM orders"), pay()],
    ),
}

DIFFERENT = {
    "a refund made twice": ([pay()], [pay(), pay()]),
    "two refunds and their sum": ([pay(40)], [pay(15), pay(25)]),
    "the same value set to another thing": ([status("open", "A1")], [status("open", "B2")]),
    "one of two lamps": (
        [call("set_lamp", lamp="hall", on=True), call("set_lamp", lamp="bath", on=True)],
        [call("set_lamp", lamp="bath", on=True)],
    ),
    "the seat of another traveller": (
        [call("set_seat", booking_id="B1", traveller=t, seat=s) for t, s in (("A", 1), ("B", 2))],
        [call("set_seat", booking_id="B1", traveller="B", seat=2)],
    ),
    "one of two edits of a file": (
        [call("edit", path="a.py", old="x", new="y"), call("edit", path="a.py", old="z", new="y")],
        [call("edit", path="a.py", old="z", new="y")],
    ),
    "two lists that no longer match": (
        [call("exchange_items", order_id="A1", items=["a", "b"], new_items=["c", "d"])],
        [call("exchange_items", order_id="A1", items=["a", "b"], new_items=["d", "c"])],
    ),
    "the last value": ([status("open"), status("shut")], [status("shut"), status("open")]),
    "a value that another write could see": (
        [status("open"), call("ship_order", order_id="A1"), status("shut")],
        [call("ship_order", order_id="A1"), status("shut")],
    ),
    "an upgrade that was paid for twice": (
        [call("update_cabin", booking_id="B1", cabin="first", payment_id="card_1")],
        [call("update_cabin", booking_id="B1", cabin="first", payment_id="card_1")] * 2,
    ),
    "one of two features": (
        [call("enable_feature", flag="a"), call("enable_feature", flag="b")],
        [call("enable_feature", flag="b")],
    ),
    "one of two invoices": (
        [call("set_paid", customer_id="C1", invoice=i) for i in ("one", "two")],
        [call("set_paid", customer_id="C1", invoice="two")],
    ),
    "one of two alarms": (
        [call("set_alarm", time="07:00"), call("set_alarm", time="08:00")],
        [call("set_alarm", time="08:00")],
    ),
    "a stock that was changed twice": (
        [call("update_stock", sku="S1", delta=-1)],
        [call("update_stock", sku="S1", delta=-1)] * 2,
    ),
    "a row that was deleted twice": (
        [call("delete_row", sheet_id="S1", index=3)],
        [call("delete_row", sheet_id="S1", index=3)] * 2,
    ),
    "the last message, twice": ([call("delete_last_message")], [call("delete_last_message")] * 2),
    "a refund whose answer says already of something else": (
        [],
        [call("issue_refund", {"order_id": "A1"}, "Refunded; the customer was told already.")],
    ),
    "a toggle that is told to what": (
        [],
        [
            call("toggle_roaming", line_id="L1", on=True),
            call("toggle_roaming", line_id="L1", on=True),
        ],
    ),
    "toggles of two lines": (
        [],
        [call("toggle_roaming", line_id="L1"), call("toggle_roaming", line_id="L2")],
    ),
    "one of two orders that are named inside": (
        [call("update_order", order={"id": o, "status": "open"}) for o in ("A1", "B2")],
        [call("update_order", order={"id": "B2", "status": "open"})],
    ),
    "two parts of one address": (
        [call("update_user", user_id="u1", address=a) for a in ({"city": "Oslo"}, {"zip": "1"})],
        [call("update_user", user_id="u1", address={"zip": "1"})],
    ),
    "one of two lines of an order": (
        [call("update_order", order_id="A1", line={"sku": s, "n": 2}) for s in ("x", "y")],
        [call("update_order", order_id="A1", line={"sku": "y", "n": 2})],
    ),
    "a program with another indentation": (
        [call("write_file", path="a.py", content="if x:\n    y()\n    z()")],
        [call("write_file", path="a.py", content="if x:\n    y()\nz()")],
    ),
    "a text on one line": (
        [call("write_file", path="a.md", content="- one\n- two")],
        [call("write_file", path="a.md", content="- one - two")],
    ),
    "a note on something else": (
        [call("create_event", title="x", note="Meeting with the sales team about the budget")],
        [call("create_event", title="x", note="Reminder to water the plants in the office")],
    ),
    "something made and then cancelled": (
        [],
        [call("create_order", item="x"), call("cancel_order", order_id="O1")],
    ),
    "a set of steps in another order": (
        [call("create_plan", steps=["wash", "dry"])],
        [call("create_plan", steps=["dry", "wash"])],
    ),
    "a flag that was left out": (
        [call("create_event", title="x", notify=False)],
        [call("create_event", title="x")],
    ),
    "a text that was emptied": (
        [call("update_user", user_id="u1", note="old"), call("update_user", user_id="u1", note="")],
        [call("update_user", user_id="u1", note="old")],
    ),
    "money sent to a user": (
        [],
        [call("transfer_to_user", user_id="u1", amount=50)],
    ),
    "a statement that deletes": (
        [],
        [call("execute_sql", query="SELECT 1; DELETE FROM orders")],
    ),
    "a repeat that answered with another thing": (
        [call("put_record", {"day": "Monday"}, {"id": 1})],
        [call("put_record", {"day": "Monday"}, {"id": n}) for n in (1, 2)],
    ),
    "a repeat that answered with another thing, as text": (
        [call("put_record", {"day": "Monday"}, '{"id": 1}')],
        [call("put_record", {"day": "Monday"}, f'{{"id": {n}}}') for n in (1, 2)],
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_these_leave_the_same(case):
    assert left(*SAME[case]) == "same"


@pytest.mark.parametrize("case", DIFFERENT)
def test_these_leave_something_else(case):
    assert left(*DIFFERENT[case]) == "different"


def test_other_words_of_a_text_are_the_same_but_for_the_words():
    one = call("send_email", to="a@b.org", body="We would like to thank you for your order today.")
    two = call("send_email", to="a@b.org", body="Thank you for the order that you placed today.")
    assert left([one], [two]) == "worded"


class TestTold:
    """What only the config can say."""

    def test_an_order_that_is_cancelled_again_leaves_nothing(self):
        made = call("create_order", {"item": "x"}, {"order_id": "O1"})
        tools = table(cancel_order={"undoes": ["create_order"]})
        assert left([], [made, call("cancel_order", order_id="O1")], tools=tools) == "same"
        # but not where another one was cancelled, or it was shipped in between.
        assert left([], [made, call("cancel_order", order_id="O2")], tools=tools) == "different"
        of_one = call("create_order", {"item": "x", "user_id": "u1"}, {"order_id": "O1"})
        other = call("cancel_order", order_id="O2", user_id="u1")
        assert left([], [of_one, other], tools=tools) == "different"
        shipped = [made, call("ship_order", order_id="O1"), call("cancel_order", order_id="O1")]
        assert left([], shipped, tools=tools) == "different"

    def test_a_switch_that_is_pressed_twice_is_as_it_was(self):
        press = call("press_switch", room="hall")
        tools = table(press_switch={"undoes": ["press_switch"]})
        assert left([], [press, press]) == "different"
        assert left([], [press, press], tools=tools) == "same"
        assert left([press], [press, press, press], tools=tools) == "same"
        assert left([press], [press, press], tools=tools) == "different"

    def test_amounts_and_items_that_add_up(self):
        tools = table(issue_refund={"merge": ["amount"]}, add_items={"merge": ["items"]})
        assert left([pay(40)], [pay(15), pay(25)], tools=tools) == "same"
        assert left([pay(0.3)], [pay(0.1), pay(0.2)], tools=tools) == "same"
        assert left([pay(40)], [pay(15), pay(26)], tools=tools) == "different"
        assert left([pay(40)], [pay(15), pay(25, order="B2")], tools=tools) == "different"
        one = call("add_items", cart_id="C1", items=["a", "b"])
        two = [call("add_items", cart_id="C1", items=[i]) for i in ("b", "a")]
        assert left([one], two, tools=tools) == "same"

    def test_what_is_idempotent_and_what_is_not(self):
        book = call("book_room", room_id="R1", day="Monday")
        assert left([book], [book, book], tools=table(book_room={"idempotent": True})) == "same"
        tools = table(set_status={"idempotent": False})
        assert left([status("open")], [status("open")] * 2, tools=tools) == "different"

    def test_what_commutes(self):
        one, two = call("start_job", job_id="J1"), call("tag_job", job_id="J1", tag="x")
        assert left([one, two], [two, one]) == "different"
        assert left([one, two], [two, one], tools=table(tag_job={"commutes": True})) == "same"
        tools = table(tag_job={"commutes": ["start_job"]})
        assert left([one, two], [two, one], tools=tools) == "same"

    def test_what_a_write_acts_on(self):
        calls = [call("set_lamp", spot=s, on=o) for s, o in (("hall", True), ("hall", False))]
        tools = table(set_lamp={"writes": "lamp:{spot}"})
        assert left(calls, calls[1:], tools=tools) == "same"
        other = [call("set_lamp", spot="bath", on=True), *calls[1:]]
        assert left(other, calls[1:], tools=tools) == "different"

    def test_the_mode_of_a_tool_whose_name_says_nothing(self):
        page = [call("post_page", url="a.org/x", text=t) for t in ("one", "two")]
        assert left(page, page[1:]) == "different"
        assert left(page, page[1:], tools=table(post_page={"mode": "set"})) == "same"

    def test_a_default_that_is_spelt_out(self):
        one, two = call("book", day="Monday"), call("book", day="Monday", insurance="no")
        assert left([one], [two]) == "different"
        assert left([one], [two], tools=table(book={"defaults": {"insurance": "no"}})) == "same"

    def test_a_default_that_the_schema_of_the_tool_gives(self):
        schema = {"type": "object", "properties": {"insurance": {"default": "no"}}}
        offer = LLMCall(step_id="m", tools=(ToolDefinition(name="book", parameters=schema),))
        one, two = call("book", day="Monday"), call("book", day="Monday", insurance="no")
        assert left([offer, one], [offer, two]) == "same"
        assert left([offer, one], [offer, call("book", insurance="yes")]) == "different"

    @pytest.mark.parametrize(
        "bad",
        [
            {"effect": "read", "mode": "set"},
            {"effect": "read", "undoes": ["x"]},
            {"mode": "sett"},
            {"merge": ["amount"], "idempotent": True},
            {"commutes": 3},
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, bad):
        with pytest.raises(UsageError):
            table(x=bad)


class TestHandovers:
    def test_a_case_that_is_handed_over_now_is_told_and_does_not_gate(self):
        found = diff(make_trace(pay()), make_trace(pay(), call("escalate_to_human", why="x")))
        assert (the(found, "HANDOFF_CHANGED").severity, found.verdict) == ("major", "changed")
        back = diff(make_trace(pay(), call("escalate_to_human", why="x")), make_trace(pay()))
        assert the(back, "HANDOFF_CHANGED").kind == "missing"

    def test_handing_over_in_place_of_the_work_is_a_missing_effect(self):
        found = diff(make_trace(pay()), make_trace(call("escalate_to_human", why="x")))
        assert codes(found)[0] == "EFFECT_MISSING"
        assert found.verdict == "regressed"

    def test_other_words_to_the_colleague_are_minor(self):
        one, two = (
            call("transfer_to_human_agents", summary=f"The customer {w} to change the whole trip")
            for w in ("wants", "would really like")
        )
        assert the(diff(make_trace(one), make_trace(two)), "HANDOFF_CHANGED").severity == "minor"


def test_where_the_baseline_failed_another_state_is_no_regression():
    worse = make_trace(status("open"), tags={"reward": "0"})
    better = make_trace(status("shut"), pay(), tags={"reward": "1"})
    found = diff(worse, better, outcome_tag="reward")
    assert (found.state, found.verdict) == ("different", "improved")
    still = diff(worse, replayed(status("shut"), pay()), outcome_tag="reward")
    assert (still.state, still.verdict) == ("different", "changed")


def test_the_record_that_a_tool_answers_with_settles_an_order_but_not_in_a_replay():
    record = {"order_id": "A1", "city": "Oslo", "items": ["b"], "paid": 3}
    one = call("move_order", {"order_id": "A1", "to_city": "Oslo"}, record)
    two = call("swap_items", {"order_id": "A1", "items": ["b"]}, record)
    assert left([one, two], [two, one]) == "same"
    found = diff(make_trace(one, two), replayed(two, one))
    assert found.state == "different"


@pytest.mark.parametrize("version", ["gpt-4.1", "gpt-4.1-sft"])
def test_real_runs_agree_with_the_check_of_the_database(version):
    path = shared(f"tau2_airline/{version}.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    gold = {str(t["id"]): t["evaluation_criteria"]["actions"] or [] for t in document["tasks"]}
    agreed = 0
    for trace, simulation in zip(read_tau2(path, "x"), document["simulations"], strict=True):
        wanted = Trace(
            trace_id="gold",
            agent="airline",
            input=trace.input,
            output=trace.output,
            steps=tuple(
                call(a["name"], a["arguments"], None) for a in gold[str(simulation["task_id"])]
            ),
        )
        found = diff(wanted, trace)
        match = simulation["reward_info"]["db_check"]["db_match"]
        agreed += (found.state == "same") == match
        gates = any(
            d.severity == "regression" and d.code.startswith("EFFECT_") for d in found.divergences
        )
        assert match != gates
    assert agreed == len(document["simulations"]) == 20


def test_a_thousand_writes_are_reduced_in_no_time():
    from replay.compare import compare_traces

    calls = [status(str(n % 7), f"O{n % 50}") for n in range(1_000)]
    one, two = make_trace(*calls), make_trace(*calls[::-1])
    catalog = ToolCatalog()
    with at_most(2):
        compare_traces(one, two, tools=catalog)


orders = st.sampled_from(["A1", "B2", "C3"])
writes = st.one_of(
    st.builds(
        lambda o, v: call("set_status", order_id=o, status=v), orders, st.sampled_from("xyz")
    ),
    st.builds(lambda o, n: call("issue_refund", order_id=o, amount=n), orders, st.integers(1, 3)),
    st.builds(lambda o: call("ship_order", order_id=o), orders),
    st.builds(lambda o, c: call("update_address", order_id=o, city=c), orders, st.text("ab")),
    st.builds(lambda p: call("delete_file", path=p), st.sampled_from(["a.txt", "b.txt"])),
)


def world(steps):
    """An oracle of its own: what the tools above really do, one call after the other."""
    orders, files = {}, {"a.txt", "b.txt"}
    for step in steps:
        if step.name == "delete_file":
            files.discard(step.arguments["path"])
            continue
        order = orders.setdefault(step.arguments["order_id"], {"refunds": [], "log": []})
        if step.name == "issue_refund":
            order["refunds"] = sorted([*order["refunds"], step.arguments["amount"]])
        elif step.name == "ship_order":
            # It sees how the order stands, so what was there before matters.
            order["log"].append((order.get("status"), order.get("city"), list(order["refunds"])))
        else:
            key = "status" if step.name == "set_status" else "city"
            order[key] = step.arguments[key]
    return orders, files


@given(st.lists(writes, max_size=6), st.lists(writes, max_size=6), st.randoms())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_is_called_the_same_is_the_same_in_a_small_world(ours, theirs, random):
    shuffled = [*ours]
    random.shuffle(shuffled)
    doubled = [*ours, *(random.sample(ours, 1) if ours else ())]
    dropped = ours[1:]
    for other in (theirs, shuffled, doubled, dropped):
        if left(ours, other) == "same":
            assert world(ours) == world(other)
    assert left(ours, ours) == "same"
