"""Service rules: somebody is responsible at every moment, and remote help comes before a truck."""

from __future__ import annotations

import struct
import zlib

import pytest

from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.noting import hand_over
from servicedesk.photos import PhotoError, add_photo
from servicedesk.self_tests import ask_self_test
from servicedesk.selfcheck import answer_step, guide_of
from servicedesk.states import VISIT_LIVE, TicketState, VisitState
from servicedesk.visiting import finish, move_visit
from tests.servicedesk.acceptance.case import Case, dangerous


def picture() -> bytes:
    """A PNG of one grey point."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")


def held(case: Case, ticket: Ticket) -> Ticket:
    """The case, in somebody's hands with something to do by some time."""
    now = case.ticket(ticket)
    assert now.responsible
    assert now.next_action
    assert now.next_due is not None
    return now


def test_one_responsible_person_and_a_next_action_and_each_hand_off_on_the_timeline(case: Case) -> None:
    ticket = case.report()
    assert held(case, ticket).responsible == "dispatch"
    case.work()
    hand_over(case.office, ticket.id, "dispatch:ana", case.now, "dispatch:ana")
    assert held(case, ticket).responsible == "dispatch:ana"
    assert [each["new"] for each in case.lines(ticket, "handed_over")] == ["dispatch:ana"]
    visit = case.confirm(ticket)
    assert held(case, ticket).responsible == f"technician:{visit.technician}"
    case.arrive(ticket)
    assert held(case, ticket).next_action == "repair"
    finish(case.office, Outcome(visit=visit.id, code=OutcomeCode.PART_MISSING, at=case.now, actor="t"))
    assert held(case, ticket).responsible == "dispatch"
    case.work()
    again = case.visit(ticket)
    move_visit(case.office, again.id, VisitState.DECLINED, case.now, "owner")
    case.work()
    assert held(case, ticket).state in {TicketState.OPEN, TicketState.AWAITING_PARTS}


def test_one_responsible_person_an_escalation_is_a_hand_off_to_a_supervisor(case: Case) -> None:
    ticket = case.opened(dangerous())
    (call,) = case.calls(ticket)
    case.step(2 * (call.due - call.opened))
    assert held(case, ticket).responsible == "supervisor"
    assert "escalated" in case.kinds(ticket)


def test_remote_help_before_a_truck_stands_on_the_ticket(case: Case) -> None:
    """The device's own test, the guide's answers and a picture are on the timeline that the technician reads."""
    ticket = case.opened()
    ask_self_test(case.office, ticket.id, case.now, "dispatch")
    assert guide_of(case.office, ticket)[1]
    answer_step(case.office, ticket.id, 1, "done", case.now, actor="owner")
    add_photo(case.office, ticket.id, picture(), case.now, "owner")
    kinds = case.kinds(ticket)
    for kind in ("self_test_asked", "self_check", "photo"):
        assert kind in kinds, kind
    assert [each.media for each in case.desk.care.help.photos(ticket.id)] == ["image/png"]
    assert case.visit(ticket).state in VISIT_LIVE
    with pytest.raises(PhotoError):
        add_photo(case.office, ticket.id, b"no picture", case.now, "owner")
