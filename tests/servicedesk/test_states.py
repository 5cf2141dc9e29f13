from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError, WindowGoneError
from servicedesk.model import NoticeState, Outcome, OutcomeCode, Visit
from servicedesk.office import OWNER
from servicedesk.planning import alternatives, take_window
from servicedesk.states import (
    QUOTE,
    TICKET,
    TICKET_ENDED,
    VISIT,
    VISIT_BOOKED,
    VISIT_LIVE,
    QuoteState,
    TicketState,
    VisitState,
    check_move,
)
from servicedesk.visiting import finish, move_ticket, move_visit
from telemetry.finding import EpisodeState, Finding, Proof
from tests.servicedesk.world import World, finding


@pytest.mark.parametrize(("table", "states"), [(TICKET, TicketState), (VISIT, VisitState), (QUOTE, QuoteState)])
def test_each_table_speaks_of_every_state(table: dict[str, tuple[str, ...]], states: type[StrEnum]) -> None:
    assert set(table) == set(states)
    reached = {new for row in table.values() for new in row}
    first = next(iter(table))
    assert reached | {first} == set(states)
    assert all(len(set(row)) == len(row) and old not in row for old, row in table.items())


def test_an_illegal_move_names_the_legal_ones() -> None:
    with pytest.raises(IllegalMoveError, match="verified, reopened") as raised:
        check_move("ticket", TICKET, TicketState.DONE, TicketState.CLOSED)
    assert raised.value.legal == ("verified", "reopened")
    assert (raised.value.old, raised.value.new) == ("done", "closed")


def test_hold_and_cancelled_need_a_reason() -> None:
    world = World()
    ticket = world.opened()
    with pytest.raises(NeedsReasonError):
        move_ticket(world.office, ticket.id, TicketState.HOLD, world.now, "dispatch")


def test_nobody_verifies_or_closes_by_hand() -> None:
    world = World()
    ticket, _ = world.repaired()
    for state in (TicketState.VERIFIED, TicketState.CLOSED):
        with pytest.raises(IllegalMoveError) as raised:
            move_ticket(world.office, ticket.id, state, world.now, "dispatch")
        assert raised.value.legal == ("reopened",)


class TicketLife(RuleBasedStateMachine):
    """Anything people, telemetry and time may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.found: Finding = finding()
        self.count = 1
        self.world.report(self.found)
        self.world.work()

    def ticket_id(self) -> UUID:
        latest = self.world.desk.tickets.latest(1, "condenser_airflow")
        assert latest is not None
        return latest.id

    def visits(self) -> list[Visit]:
        return self.world.desk.visits.of_ticket(self.ticket_id())

    @rule(hours=st.sampled_from([1, 5, 12, 30, 100]), deliver=st.booleans())
    def wait(self, hours: int, *, deliver: bool) -> None:
        self.world.step(self.world.now + timedelta(hours=hours), deliver=deliver)

    @rule(state=st.sampled_from(list(TicketState)), reason=st.sampled_from([None, "because"]))
    def person_moves_ticket(self, state: TicketState, reason: str | None) -> None:
        try:
            move_ticket(self.world.office, self.ticket_id(), state, self.world.now, "dispatch", reason=reason)
        except (IllegalMoveError, NeedsReasonError):
            return
        self.world.work()

    @rule(state=st.sampled_from(list(VisitState)), reason=st.sampled_from([None, "because"]))
    def person_moves_visit(self, state: VisitState, reason: str | None) -> None:
        for visit in self.visits()[-1:]:
            try:
                move_visit(self.world.office, visit.id, state, self.world.now, OWNER, reason=reason)
            except (IllegalMoveError, NeedsReasonError, WindowGoneError):
                return
            self.world.work()

    @rule(code=st.sampled_from(list(OutcomeCode)))
    def technician_reports(self, code: OutcomeCode) -> None:
        for visit in self.visits()[-1:]:
            if visit.state is VisitState.ON_SITE:
                finish(
                    self.world.office,
                    Outcome(visit=visit.id, code=code, at=self.world.now, actor="t", parts=visit.parts),
                )
                self.world.work()

    @rule(pick=st.integers(0, 30), who=st.sampled_from([OWNER, "dispatch"]))
    def another_time(self, pick: int, who: str) -> None:
        for visit in self.visits()[-1:]:
            others = alternatives(self.world.office, visit.id, self.world.now).all
            if others:
                start = others[pick % len(others)].window.start
                take_window(self.world.office, visit.id, start, self.world.now, who)

    @rule(proof=st.sampled_from([Proof.PROVEN, Proof.FAILED, Proof.PROVING]))
    def telemetry_judges(self, proof: Proof) -> None:
        ended = EpisodeState.ENDED if proof is Proof.PROVEN else EpisodeState.OPEN
        again = finding(at=self.world.now, epoch=self.count, revision=self.count, state=ended, proof=proof)
        ticket = self.world.desk.tickets.get(self.ticket_id())
        if ticket.finding is not None:
            again = type(again)(**{f: getattr(again, f) for f in again.__struct_fields__} | {"id": str(ticket.finding)})
        self.world.report(again)
        self.count += 1
        self.world.work()

    @precondition(lambda self: self.count < 20)
    @rule()
    def fault_shows_again(self) -> None:
        self.count += 1
        self.world.report(finding(at=self.world.now, epoch=self.count))
        self.world.work()

    @invariant()
    def one_open_ticket(self) -> None:
        rows = self.world.desk.tickets.rows.values()
        assert sum(1 for each in rows if each.state not in TICKET_ENDED) <= 1

    @invariant()
    def one_live_visit_and_no_double_booking(self) -> None:
        visits = list(self.world.desk.visits.rows.values())
        for ticket in self.world.desk.tickets.rows:
            assert sum(1 for each in visits if each.ticket == ticket and each.state in VISIT_LIVE) <= 1
        booked = [each for each in visits if each.state in VISIT_BOOKED]
        for i, one in enumerate(booked):
            for other in booked[i + 1 :]:
                assert one.technician != other.technician or not one.window.overlaps(other.window)

    @invariant()
    def someone_is_responsible(self) -> None:
        for ticket in self.world.desk.tickets.rows.values():
            assert ticket.responsible
            assert ticket.next_action
            assert ticket.state in TICKET_ENDED or ticket.next_due is not None

    @invariant()
    def stock_adds_up(self) -> None:
        parts = self.world.desk.parts
        for (org, sku), part in parts.rows.items():
            held = sum(1 for (_, each), owner in parts.reserved.items() if (owner, each) == (org, sku))
            assert part.reserved == held
            assert part.on_hand >= held

    @invariant()
    def every_move_was_legal(self) -> None:
        for event in self.world.desk.tickets.events:
            if event.kind == "moved":
                assert TicketState(event.body["new"]) in TICKET[TicketState(event.body["old"])]

    @invariant()
    def verified_only_by_telemetry(self) -> None:
        for event in self.world.desk.tickets.events:
            if event.kind == "moved" and event.body["new"] in ("verified", "closed"):
                assert event.actor == "system"

    @invariant()
    def nothing_is_cancelled_behind_the_owners_back(self) -> None:
        for visit in self.world.desk.visits.rows.values():
            if visit.state is VisitState.CANCELLED and visit.reason == "no_answer":
                notices = self.world.desk.notices.of_ticket(visit.ticket)
                assert any(each.state is NoticeState.DELIVERED for each in notices)


TestTicketLife = TicketLife.TestCase
TestTicketLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_errors_of_the_desk_share_a_root() -> None:
    assert issubclass(IllegalMoveError, DeskError)
