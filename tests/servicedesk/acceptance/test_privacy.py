"""Consent per purpose, export and erase, each read logged, the audit log only ever added to and chained."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from servicedesk.audit import GENESIS, chained, examine, record
from servicedesk.care_rows import AuditRow, Purpose
from servicedesk.contact import say
from servicedesk.errors import UnknownError
from servicedesk.model import Outcome, OutcomeCode
from servicedesk.office import OWNER
from servicedesk.opening import report
from servicedesk.privacy import ask_erasure, export, set_consent
from servicedesk.quoting import OPEN, approve_quote
from servicedesk.selfcheck import answer_step
from servicedesk.states import TicketState, VisitState
from servicedesk.visiting import finish, move_ticket
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.world import finding


def entries(case: Case, action: str) -> list[dict[str, Any]]:
    rows = [json.loads(row.content) for row in case.desk.care.audit.rows()]
    return [row for row in rows if row["action"] == action]


def test_consent_per_purpose_revoking_service_stops_new_tickets_within_one_cycle(case: Case) -> None:
    assert set_consent(case.office, case.household, Purpose.SERVICE, case.now, OWNER, granted=False)
    found = finding(at=case.now)
    if case.shop is not None:
        case.shop.enter(found)
    assert report(case.office, found, case.appliance, case.now) is None
    assert set_consent(case.office, case.household, Purpose.SERVICE, case.now, OWNER, granted=True)
    later = finding(at=case.now + timedelta(hours=1), epoch=2)
    assert case.opened(later).state is TicketState.OPEN


def test_consent_per_purpose_revoking_alerts_stops_messages(case: Case) -> None:
    set_consent(case.office, case.household, Purpose.ALERTS, case.now, OWNER, granted=False)
    assert case.notices(case.opened()) == []


def test_consent_per_purpose_has_a_history(case: Case) -> None:
    privacy = case.desk.care.privacy
    assert all(privacy.consents(case.household).values())
    assert set_consent(case.office, case.household, Purpose.ANALYTICS, case.now, OWNER, granted=False)
    assert not set_consent(case.office, case.household, Purpose.ANALYTICS, case.now, OWNER, granted=False)
    later = case.now + timedelta(hours=1)
    assert set_consent(case.office, case.household, Purpose.ANALYTICS, later, "dispatch:1", granted=True)
    history = [(each.purpose, each.granted, each.actor) for each in privacy.history(case.household)]
    assert history == [(Purpose.ANALYTICS, False, OWNER), (Purpose.ANALYTICS, True, "dispatch:1")]
    assert [each["what"] for each in entries(case, "consent")] == ["analytics", "analytics"]
    with pytest.raises(UnknownError):
        privacy.consents(UUID(int=99))


def test_export_holds_everything_of_the_household_and_is_logged(case: Case) -> None:
    ticket = case.opened()
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER, note="much dust")
    say(case.office, ticket.id, "please ring twice", case.now, channel="page")
    told = export(case.office, case.household, case.now, OWNER)
    assert told["household"]["name"] == "Li"
    assert told["contacts"][0]["email"] == "li@example.org"
    (one,) = told["cases"]
    assert one["ticket"]["ref"] == ticket.ref
    assert [each["stage"] for each in one["notices"]] == ["alert"]
    assert [each["note"] for each in one["self_check"]] == ["much dust"]
    assert any(each["body"].get("words") == "please ring twice" for each in one["timeline"])
    assert told["appliances"][0]["device"] == "fridge-1"
    (logged,) = entries(case, "export")
    assert (logged["actor"], logged["household"]) == (OWNER, str(case.household))


def test_erase_takes_out_what_names_the_household_and_lists_what_is_kept(case: Case) -> None:
    ticket = case.opened()
    case.confirm(ticket)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER, note="Li did it")
    say(case.office, ticket.id, "this is Li", case.now, channel="page")
    wish = ask_erasure(case.office, case.household, case.now, OWNER)
    assert wish.done is None
    ask_erasure(case.office, case.household, case.now, OWNER)
    case.work()
    done = case.desk.care.privacy.erasure(case.household)
    assert done is not None
    assert done.done is not None
    assert done.report["removed"]["contacts"] == 1
    assert done.report["removed"]["cases cancelled"] == 1
    assert done.report["kept"]
    told = export(case.office, case.household, case.now, "dispatch:1")
    assert "Li" not in json.dumps(told, default=str)
    assert "example.org" not in json.dumps(told, default=str)
    assert told["contacts"] == []
    assert case.ticket(ticket).state is TicketState.CANCELLED
    assert [each.state for each in case.desk.visits.of_ticket(ticket.id)] == [VisitState.CANCELLED]
    # Nothing is opened or sent for it any more.
    assert not any(told["consents"].values())
    assert [each["what"] for each in entries(case, "erase")] == ["asked", "done"]


def test_audit_log_is_a_chain_and_names_the_first_broken_row(case: Case) -> None:
    before = sum(1 for _ in case.desk.care.audit.rows())
    for number in range(4):
        record(case.desk, "read", case.now, "staff:ana", "contacts", household=case.household, number=number)
    rows = list(case.desk.care.audit.rows())
    assert [row.seq for row in rows] == list(range(1, before + 5))
    sound = examine(rows)
    assert (sound.rows, sound.broken, sound.head) == (before + 4, None, rows[-1].hash.hex())
    assert rows[0].prev == GENESIS
    assert all(row.hash == chained(row.prev, row.content) for row in rows)
    at = before + 2
    changed = [replace(row, content=row.content.replace("ana", "eve")) if row.seq == at else row for row in rows]
    assert examine(changed).broken == at
    assert examine([row for row in rows if row.seq != at]).broken == at
    assert examine(_rehashed(changed, at)).broken == at + 1
    cut = examine(rows[:-1], contains=rows[-1].hash.hex())
    assert (cut.broken, cut.contained) == (None, False)
    assert examine(rows, contains=rows[at - 1].hash.hex()).contained


def _rehashed(rows: list[AuditRow], at: int) -> list[AuditRow]:
    """A forger who mends the hash of the row that was changed."""
    return [replace(row, hash=chained(row.prev, row.content)) if row.seq == at else row for row in rows]


def test_audit_log_is_only_ever_added_to(case: Case) -> None:
    if case.shop is None:
        pytest.skip("what the database refuses is asked of the database")
    record(case.desk, "read", case.now, "staff:ana", "contacts", household=case.household)
    assert list(case.desk.care.audit.rows())
    for statement in (
        "update audit_log set content = '{}'",
        "delete from audit_log",
        "truncate audit_log",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), case.shop.conn.transaction():
            case.shop.conn.execute(statement)


def test_each_override_of_a_rule_is_logged(case: Case) -> None:
    ticket = case.opened()
    move_ticket(case.office, ticket.id, TicketState.HOLD, case.now, "dispatch", reason="owner is away")
    (logged,) = entries(case, "override")
    assert logged["body"]["reason"] == "owner is away"
    assert logged["what"] == f"ticket {ticket.id}"


def test_a_part_outside_the_diagnosis_is_an_override_with_its_reason(case: Case) -> None:
    ticket = case.opened()
    case.confirm(ticket)
    case.work()
    for quote in case.desk.quotes.of_ticket(ticket.id):
        if quote.state in OPEN:
            approve_quote(case.office, quote.id, case.now, OWNER)
    visit = case.arrive(ticket)
    assert entries(case, "override") == []
    finish(
        case.office,
        Outcome(
            visit=visit.id,
            code=OutcomeCode.REPAIRED,
            at=case.now,
            actor="technician:1",
            cause="condenser_fan_wear",
            parts=(*visit.parts, "RF-GAS-600A"),
            note="the gas was low as well",
        ),
    )
    (logged,) = entries(case, "override")
    assert (logged["actor"], logged["body"]["parts"]) == ("technician:1", ["RF-GAS-600A"])
    assert logged["body"]["reason"] == "the gas was low as well"
