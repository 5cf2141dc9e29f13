"""Clocks against an oracle that keeps every running span and counts it anew: pauses, severities, nights, holidays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from servicedesk.calendars import Calendar
from servicedesk.level_policies import FILE, LevelPolicy, load_levels
from servicedesk.level_rows import LevelClock
from servicedesk.levels import calendar_of, consumed, hold
from servicedesk.model import Ticket
from servicedesk.office import Office
from servicedesk.promises import fall_due
from tests.servicedesk.world import World

_POLICIES = ("plan", "visit_24h", "first_response")
_REASONS = ("owner", "parts", "hold")


class Oracle:
    """One clock, told the slow way."""

    def __init__(self, policy: LevelPolicy, calendar: Calendar, allowed: timedelta, now: datetime) -> None:
        self.policy = policy
        self.calendar = calendar
        self.allowed = allowed
        self.spans: list[tuple[datetime, datetime]] = []
        self.since: datetime | None = now
        self.reasons: set[str] = set()

    def counted(self, now: datetime) -> timedelta:
        spans = [*self.spans, *([(self.since, now)] if self.since is not None else [])]
        return sum((self.calendar.between(*span) for span in spans), timedelta())

    def hold(self, reason: str, now: datetime, *, on: bool) -> None:
        if reason not in self.policy.pauses:
            return
        (self.reasons.add if on else self.reasons.discard)(reason)
        if self.reasons and self.since is not None:
            self.spans.append((self.since, now))
            self.since = None
        elif not self.reasons and self.since is None:
            self.since = now

    def severity(self, target: timedelta, now: datetime, *, worse: bool) -> None:
        left = self.counted(now) + target
        self.allowed = min(self.allowed, left) if worse else max(self.allowed, target)


class LevelLife(RuleBasedStateMachine):
    """A ticket's clocks through whatever may happen to them."""

    steps: ClassVar[int] = 30

    @initialize(start=st.datetimes(datetime(2026, 1, 20), datetime(2026, 10, 20), timezones=st.just(UTC)))  # noqa: DTZ001  (bounds)
    def begin(self, start: datetime) -> None:
        self.world = World()
        self.world.now = start
        base = load_levels(FILE)
        # Every severity has every promise, so that a change of severity reprices and never ends a clock.
        more = {
            name: replace(
                policy,
                targets={s: timedelta(hours=6 * s) for s in (1, 2, 3, 4)},
                calendar=base.calendars["service" if name != "visit_24h" else "always"],
                pauses=frozenset(_REASONS) if name != "first_response" else frozenset(),
                tell=False,
                escalate=False,
            )
            for name, policy in base.policies.items()
            if name in _POLICIES
        }
        self.levels = replace(base, policies=more)
        self.severity = 3
        opened = self.world.opened()
        self.ticket: Ticket = self.world.ticket(opened)
        self.world.desk.levels.clocks.rows.clear()
        self.world.desk.levels.clocks._by_ticket.clear()
        self.world.desk.agenda.dues.clear()
        self.office.log(self.ticket.id, start, "opened")
        self.office.log(self.ticket.id, start, "message", "owner", words="?")
        self.oracles = {
            each.policy: Oracle(more[each.policy], calendar_of(self.levels, each), each.allowed, start)
            for each in self.clocks()
        }
        assert set(self.oracles) == set(_POLICIES)

    @property
    def office(self) -> Office:
        return replace(self.world.office, levels=self.levels)

    def clocks(self) -> list[LevelClock]:
        return self.world.desk.levels.clocks.of_ticket(self.ticket.id)

    @rule(minutes=st.integers(0, 60 * 30))
    def wait(self, minutes: int) -> None:
        until = self.world.now + timedelta(minutes=minutes)
        agenda = self.world.desk.agenda
        while (due := agenda.next_due()) is not None and due <= until:
            self.world.now = max(self.world.now, due)
            for each in agenda.hand_over(self.world.now, 50):
                if agenda.done(each.id, self.world.now) and each.kind == "level":
                    fall_due(self.office, each.ref, self.world.now)
        self.world.now = until

    @rule(reason=st.sampled_from(_REASONS), on=st.booleans())
    def pause(self, reason: str, on: bool) -> None:  # noqa: FBT001  (hypothesis gives it)
        hold(self.office, self.ticket.id, reason, self.world.now, on=on)
        for oracle in self.open_oracles():
            oracle.hold(reason, self.world.now, on=on)

    @rule(new=st.integers(1, 4))
    def change_severity(self, new: int) -> None:
        if new == self.severity:
            return
        worse = new < self.severity
        self.office.log(self.ticket.id, self.world.now, "severity", old=self.severity, new=new)
        for oracle in self.open_oracles():
            oracle.severity(timedelta(hours=6 * new), self.world.now, worse=worse)
        self.severity = new

    @precondition(lambda self: self.by("first_response").open)
    @rule()
    def a_person_answers(self) -> None:
        before = self.by("first_response")
        self.office.log(self.ticket.id, self.world.now, "answer", "dispatch", words="yes")
        after = self.by("first_response")
        assert after.met == self.world.now
        in_time = before.breached is None and (before.due is None or self.world.now <= before.due)
        assert after.state == ("met" if in_time else "met_late")

    @invariant()
    def the_clock_counts_what_has_passed(self) -> None:
        now = self.world.now
        for clock in self.clocks():
            oracle = self.oracles[clock.policy]
            if not clock.open:
                continue
            assert consumed(self.levels, clock, now) == oracle.counted(now), clock
            assert clock.allowed == oracle.allowed
            assert (clock.since is None) == bool(oracle.reasons)
            left = oracle.allowed - oracle.counted(now)
            if clock.due is not None and clock.breached is None and left > timedelta():
                assert oracle.calendar.between(now, clock.due) == left
            if clock.breached is not None:
                assert clock.warned is not None
                assert clock.warned <= now
            elif clock.due is not None:
                assert clock.due >= now or left <= timedelta()

    def by(self, policy: str) -> LevelClock:
        return next(each for each in self.clocks() if each.policy == policy)

    def open_oracles(self) -> list[Oracle]:
        return [self.oracles[each.policy] for each in self.clocks() if each.open]


LevelLife.TestCase.settings = settings(max_examples=60, stateful_step_count=LevelLife.steps, deadline=None)
TestLevelLife = LevelLife.TestCase


@pytest.mark.long
class TestLevelLives(LevelLife.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=1_000, stateful_step_count=50, deadline=None)
