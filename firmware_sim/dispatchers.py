"""Simulated dispatchers: they answer owners who said something, make the calls they are to make, and plan again.

When they do is known before the time comes, like everything that people do: a function of seed, device and how often
somebody has called about it. They work in the hours that the service gives them; on call, day and night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from firmware_sim.people_plan import HOUR, MINUTE, callback, is_reached
from firmware_sim.people_spec import PeopleSpec
from firmware_sim.service import Service, ServiceError, Waiting
from telemetry.clock import to_micros

URGENT = "severity_1"
"""Why a call is to be made of which nobody waits for the morning."""
Working = Callable[[str, int, int], int]
"""Of a device, a fleet time and working time, both microseconds: when so much working time will have passed."""
_CALLS = ("call_owner", "reach_owner")
_CALL_AFTER = 2 * HOUR
_MOST_CALLS = 2
_AGAIN = 30 * MINUTE
_MOST_TRIES = 4


def day_and_night(_device: str, since: int, work: int) -> int:
    """Working hours of somebody who never sleeps."""
    return since + work


class Callback(msgspec.Struct, kw_only=True):
    """A call that somebody of dispatch is going to make.

    Attributes:
        ticket: id.
        device: whose owner.
        at: fleet time.
        spoke: the owner has called or complained just now, and picks up.
        urgent: it is made day and night.
        tries: calls made so far.
    """

    ticket: str
    device: str
    at: int
    spoke: bool
    urgent: bool = False
    tries: int = 0


@dataclass(slots=True)
class Dispatchers:
    """The people of one organisation's dispatch.

    Attributes:
        service: what they know of the product.
        seed: of their habits.
        spec: how they behave.
        failed: hears what could not be done.
        working: when they work.
    """

    service: Service
    seed: int
    spec: PeopleSpec
    failed: Callable[[str, Exception], None]
    working: Working = day_and_night
    _answers: dict[str, Callback] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _plans: dict[str, tuple[Waiting, int]] = field(default_factory=dict)
    _called: dict[str, int] = field(default_factory=dict)

    def look(self, now: int, visited: set[str]) -> None:
        """See which calls are to be made, and which tickets wait for an owner's word.

        Args:
            now: fleet time.
            visited: tickets with a visit under way.
        """
        tasks = self.service.calls()
        wanted = {task.ticket for task in tasks}
        self._answers = {name: one for name, one in self._answers.items() if one.spoke or name in wanted}
        for task in tasks:
            if task.id not in self._seen:
                self._seen.add(task.id)
                self._expect(task.ticket, task.device, to_micros(task.opened), urgent=task.reason == URGENT)
        open_now = {one.id: one for one in self.service.waiting() if one.next_action in _CALLS}
        self._plans = {name: one for name, one in self._plans.items() if name in open_now and name not in visited}
        for name, one in open_now.items():
            if name not in self._plans and name not in visited:
                self._plans[name] = one, now + _CALL_AFTER

    def hear(self, ticket: str, device: str, at: int) -> None:
        """An owner has said something about a ticket: somebody calls back."""
        self._expect(ticket, device, at, spoke=True)

    def dues(self) -> list[int]:
        """When they act next, each thing by itself."""
        return [one.at for one in self._answers.values()] + [at for _, at in self._plans.values()]

    def step(self, now: int) -> int:
        """Do what is due. Returns how many things were done."""
        return self._answer(now) + self._plan_again(now)

    def _expect(self, ticket: str, device: str, since: int, *, spoke: bool = False, urgent: bool = False) -> None:
        number = self._counted[device] = self._counted.get(device, 0) + 1
        wait = callback(self.seed, device, number, self.spec, urgent=urgent)
        at = since + wait if urgent else self.working(device, since, wait)
        known = self._answers.get(ticket)
        if known is None:
            self._answers[ticket] = Callback(ticket=ticket, device=device, at=at, spoke=spoke, urgent=urgent)
        else:
            known.at = min(known.at, at)
            known.spoke, known.urgent = known.spoke or spoke, known.urgent or urgent

    def _answer(self, now: int) -> int:
        done = 0
        for name, one in list(self._answers.items()):
            if one.at > now:
                continue
            reached = one.spoke or is_reached(self.seed, one.device, "answer", one.tries, self.spec.picks_up)
            try:
                self.service.note_call(one.ticket, reached=reached)
                done += 1
            except ServiceError as cause:
                self.failed(f"calling about {one.device}", cause)
                if not cause.conflict:
                    continue
            one.tries += 1
            if reached or one.tries >= _MOST_TRIES:
                del self._answers[name]
            else:
                one.at = now + _AGAIN if one.urgent else self.working(one.device, now, _AGAIN)
        return done

    def _plan_again(self, now: int) -> int:
        """Dispatch calls owners who have not answered; after two calls in vain the ticket ends."""
        done = 0
        for name, (one, at) in list(self._plans.items()):
            if at > now:
                continue
            number = self._called[name] = self._called.get(name, 0) + 1
            try:
                if is_reached(self.seed, one.device, one.family, number, self.spec.called_back):
                    self.service.plan_again(name)
                elif number >= _MOST_CALLS:
                    self.service.give_up(name, "owner not reached")
                else:
                    self._plans[name] = one, now + 24 * HOUR
                    continue
                done += 1
            except ServiceError as cause:
                self.failed(f"calling the owner of {one.device}", cause)
            del self._plans[name]
        return done
