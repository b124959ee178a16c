"""What a tool does, and how we know."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from anonymize.trace import LLMCall, ToolDefinition
from replay.compare import ToolCatalog
from tests.compare.builders import call, make_trace


def names(text, *more):
    return (*text.split(), *more)


READS = names(
    """get_order list_orders search_direct_flight find_user_id_by_email get_flight_status
calculate think order_status shipment_tracking weather tavily_search getOrderStatus
github.list_issues can_send_mms check_status_bar read_file order_lookup view_cart
lookup_policy exchange_rate run_speed_test
knowledge_search customer_details book_search verify_identity confirm_identity
open_file final_result""",
    "GET /orders/{id}",
)
WRITES = names(
    """issue_refund create_return cancelOrder book_reservation update_reservation_flights
send_certificate transfer_to_human_agents order_cancel mcp__github__create_issue send_money
exchange_delivered_order_items toggle_airplane_mode make_payment reseat_sim_card post_webpage
append_to_file share_file schedule_transaction email sms refund open_ticket apply_discount
reschedule_delivery run_sql_query bash rate_product frobnicate""",
    "DELETE /orders/{id}",
)
GUARDS = names("""verify_identity authenticate_user check_identity confirm_identity get_consent
authorize_payment verifyCustomer check_permissions send_otp""")


@pytest.mark.parametrize("name", READS)
def test_these_names_only_look(name):
    assert ToolCatalog().effect_of(name).effect == "read"


@pytest.mark.parametrize("name", WRITES)
def test_these_names_change_something(name):
    assert ToolCatalog().effect_of(name).effect == "write"


@pytest.mark.parametrize("name", GUARDS)
def test_these_names_are_checks(name):
    info = ToolCatalog().effect_of(name)
    assert info.guard
    assert info.guard_why


@pytest.mark.parametrize("name", ["get_order", "check_status", "issue_refund", "search", ""])
def test_these_names_are_no_checks(name):
    assert not ToolCatalog().effect_of(name).guard


def test_the_config_has_the_last_word():
    table = {
        "get_order": SimpleNamespace(effect="write", guard=True, requires=("login",)),
        "verify_identity": SimpleNamespace(effect=None, guard=False, requires=()),
    }
    tools = ToolCatalog(table)
    info = tools.effect_of("get_order", "read")
    assert (info.effect, info.declared, info.guard) == ("write", True, True)
    assert info.requires == ("login",)
    assert not tools.effect_of("verify_identity").guard


def test_what_the_trace_says_comes_before_the_name():
    info = ToolCatalog().effect_of("get_order", "write")
    assert (info.effect, info.why) == ("write", "the trace says so (MCP annotations)")


def test_a_name_that_says_nothing_is_judged_by_its_description():
    definition = ToolDefinition(name="frobnicate", description="Returns the current weather.")
    step = LLMCall(step_id="s", tools=(definition,))
    tools = ToolCatalog()
    assert tools.effect_of("frobnicate").effect == "write"
    tools.describe(make_trace(step))
    assert tools.effect_of("frobnicate").effect == "read"


def test_every_answer_has_its_reason_and_what_was_inferred_can_be_listed():
    tools = ToolCatalog({"known": SimpleNamespace(effect="read")})
    found = tools.survey([make_trace(call("known"), call("get_x"), call("frobnicate"))])
    assert [t.name for t in found] == ["frobnicate", "get_x", "known"]
    assert all(t.why for t in found)
    assert [t.name for t in tools.inferred()] == ["frobnicate", "get_x"]
