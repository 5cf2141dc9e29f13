"""Ticket, visits, bookings, quotes and other ways together: whatever people, telemetry and time do, in any order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from servicedesk.billing import ChargeError
from servicedesk.errors import ConflictError, IllegalMoveError, NeedsReasonError, WindowGoneError
from servicedesk.model import NoticeState, Outcome, OutcomeCode, Visit
from servicedesk.money import total
from servicedesk.notices import arrived
from servicedesk.office import OWNER
from servicedesk.planning import alternatives, take_window
from servicedesk.quoting import OPEN, approve_quote, decline_quote, draft_quote, send_quote
from servicedesk.reporting import complain
from servicedesk.states import (
    QUOTE,
    TICKET,
    TICKET_ENDED,
    VISIT_BOOKED,
    VISIT_LIVE,
    QuoteState,
    TicketState,
    VisitState,
)
from servicedesk.visiting import finish, move_ticket, move_visit
from servicedesk.way_rows import WAY_LIVE, Way, WayKind, WayState
from servicedesk.ways import move_way, take_way
from telemetry.finding import EpisodeState, Finding, Proof
from tests.servicedesk.world import World, finding

_DEPOT = Way(id=UUID(int=2), org="demo", kind=WayKind.MAIL_IN, name="Depot")


class CaseLife(RuleBasedStateMachine):
    """Anything people, telemetry and time may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.found: Finding = finding()
        self.count = 1
        self.seen = 0
        self.world.desk.ways.register(_DEPOT)
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

    @rule(reason=st.sampled_from([None, "asked for by the owner"]))
    def dispatch_sends_a_quote(self, reason: str | None) -> None:
        office, now = self.world.office, self.world.now
        ticket = self.world.desk.tickets.get(self.ticket_id())
        if TicketState.AWAITING_QUOTE in TICKET[ticket.state]:
            try:
                send_quote(office, draft_quote(office, ticket.id, now, "dispatch", reason=reason).id, now, "dispatch")
            except IllegalMoveError:
                return
            self.world.work()

    @rule(yes=st.booleans())
    def owner_answers_a_quote(self, *, yes: bool) -> None:
        office, now = self.world.office, self.world.now
        for quote in self.world.desk.quotes.of_ticket(self.ticket_id())[-1:]:
            try:
                if yes:
                    approve_quote(office, quote.id, now, OWNER)
                else:
                    decline_quote(office, quote.id, now, OWNER, "too dear")
            except IllegalMoveError:
                return
            self.world.work()

    @rule()
    def owner_takes_another_way(self) -> None:
        try:
            take_way(self.world.office, self.ticket_id(), _DEPOT.id, self.world.now, OWNER)
        except (IllegalMoveError, ConflictError):
            return
        self.world.work()

    @rule(
        state=st.sampled_from(list(WayState)), mended=st.booleans(), charged=st.sampled_from([None, "0", "90", "9999"])
    )
    def workshop_goes_on(self, state: WayState, charged: str | None, *, mended: bool) -> None:
        asked = None if charged is None else Decimal(charged)
        for case in self.world.desk.ways.of_ticket(self.ticket_id())[-1:]:
            try:
                move_way(self.world.office, case.id, state, self.world.now, "dispatch", mended=mended, charged=asked)
            except (IllegalMoveError, ChargeError):
                return
            self.world.work()

    @rule()
    def owner_complains(self) -> None:
        complain(self.world.office, self.ticket_id(), "not content", self.world.now)
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
    def every_move_was_legal_and_only_telemetry_verifies(self) -> None:
        events = self.world.desk.tickets.events
        for event in events[self.seen :]:
            if event.kind == "moved":
                assert TicketState(event.body["new"]) in TICKET[TicketState(event.body["old"])]
                if event.body["new"] in ("verified", "closed"):
                    assert event.actor == "system"
                if event.body["new"] == "closed":
                    told = [each for each in self.world.desk.notices.of_ticket(event.ticket) if each.stage == "proven"]
                    assert all(arrived(each) for each in told[-1:])
            if event.kind == "quote":
                assert (
                    event.body.get("old") is None
                    or QuoteState(event.body["new"]) in QUOTE[QuoteState(event.body["old"])]
                )
        self.seen = len(events)

    @invariant()
    def nothing_is_cancelled_behind_the_owners_back(self) -> None:
        for visit in self.world.desk.visits.rows.values():
            if visit.state is VisitState.CANCELLED and visit.reason == "no_answer":
                notices = self.world.desk.notices.of_ticket(visit.ticket)
                assert any(each.state is NoticeState.DELIVERED for each in notices)

    @invariant()
    def one_price_waits_and_none_expires_unread(self) -> None:
        desk = self.world.desk
        for ticket in desk.tickets.rows:
            assert sum(1 for each in desk.quotes.of_ticket(ticket) if each.state in OPEN) <= 1
        for quote in desk.quotes.rows.values():
            if quote.state is QuoteState.EXPIRED:
                assert quote.notice is not None
                assert arrived(desk.notices.get(quote.notice))
            if quote.state in OPEN:
                assert desk.tickets.rows[quote.ticket].state not in TICKET_ENDED

    @invariant()
    def no_bill_lies_above_what_was_agreed(self) -> None:
        for bill in self.world.desk.money.bills.rows.values():
            assert 0 <= bill.total <= bill.most
            assert total(bill.lines) == bill.total

    @invariant()
    def one_way_at_a_time(self) -> None:
        desk = self.world.desk
        for ticket in desk.tickets.rows:
            cases = [each for each in desk.ways.of_ticket(ticket) if each.state in WAY_LIVE]
            assert len(cases) <= 1

    @invariant()
    def clocks_are_right(self) -> None:
        desk = self.world.desk
        for ticket in desk.tickets.rows.values():
            for clock in desk.levels.clocks.of_ticket(ticket.id):
                assert timedelta() <= clock.consumed
                assert (clock.due is None) or clock.open
                assert not clock.open or (clock.since is None) == bool(clock.reasons)
                # A word of the owner after the end wants its answer all the same.
                later = ticket.closed is not None and clock.started >= ticket.closed
                assert not clock.open or ticket.state not in TICKET_ENDED or later
                assert clock.breached is None or clock.breached <= self.world.now


TestCaseLife = CaseLife.TestCase
TestCaseLife.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_many_cases() -> None:
    many = settings(max_examples=5_000, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(CaseLife, settings=many)
