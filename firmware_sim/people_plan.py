"""When people act on a visit and how well, drawn before anything happens: a function of seed, visit and window."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from enum import StrEnum

from firmware_sim.chance import generator
from firmware_sim.people_spec import WILLING, PeopleSpec, Shows
from firmware_sim.service import Quote, Visit
from firmware_sim.wear import Fault
from telemetry.clock import MICROS, to_micros

MINUTE = 60 * MICROS
HOUR = 60 * MINUTE
_LEAST_NOTICE = 2 * HOUR


class Answer(StrEnum):
    """What an owner says to a proposed visit."""

    CONFIRM = "confirm"
    MOVE = "move"
    DECLINE = "decline"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Fleet times at which people act on one visit, microseconds, ascending; and how well they do.

    Attributes:
        confirm: the owner answers.
        dispatch: the technician takes the job.
        travel: sets off.
        arrive: stands at the door.
        mend: has mended the appliance, and watches it run for a while.
        report: hands in the outcome.
        answer: of the owner.
        choice: 0 to 1, which of the other windows the owner would take.
        complains: whether the owner does, when it is not the first visit.
        self_fix: when the owner has tried the guide, or None.
        guide_helps: whether it mends a fault that has one.
        tells: whether the owner says so.
        travel_minutes: one way.
        finds: whether the technician finds a fault that is there.
        fits: whether the part does.
        holds: whether the repair does.
        stocked: whether the van has what a fault of another family needs.
    """

    confirm: int
    dispatch: int
    travel: int
    arrive: int
    mend: int
    report: int
    answer: Answer = Answer.CONFIRM
    choice: float = 0.0
    complains: bool = False
    self_fix: int | None = None
    guide_helps: bool = False
    tells: bool = True
    travel_minutes: float = 30.0
    finds: bool = True
    fits: bool = True
    holds: bool = True
    stocked: bool = True


def plan(seed: int, visit: Visit, read: int, spec: PeopleSpec = WILLING, *, first: bool = True) -> Plan:
    """When people act on a visit: a function of seed, device, family, window and when its notice can be read.

    The visit's id has no part in it: another run of the same scenario gives other ids and the same people.

    Args:
        seed: of their habits.
        visit: which.
        read: when its notice can be read, microseconds.
        spec: how they behave; its scenes go before chance.
        first: nobody has come to this appliance before.
    """
    shows = spec.shows(visit.device)
    drawn = _drawn(seed, visit, read, spec)
    return drawn if shows is None else _staged(drawn, shows, read, spec, first=first)


def _staged(drawn: Plan, shows: Shows, read: int, spec: PeopleSpec, *, first: bool) -> Plan:
    """A plan with what its scene wants: nothing goes wrong but that, and only once."""
    helps = first and shows in {Shows.SELF_FIX, Shows.NO_FAULT_FOUND}
    return replace(
        drawn,
        answer=Answer.CONFIRM,
        complains=False,
        self_fix=read + round(spec.self_fix_hours[0] * HOUR) if helps else None,
        guide_helps=helps,
        tells=shows is not Shows.NO_FAULT_FOUND,
        finds=True,
        fits=True,
        holds=not (first and shows is Shows.REOPENED),
        stocked=True,
    )


def _drawn(seed: int, visit: Visit, read: int, spec: PeopleSpec) -> Plan:
    start = to_micros(visit.window.start)
    rng = generator(seed, -1, "people", zlib.crc32(f"{visit.device} {visit.family} {start // MINUTE}".encode()))
    draws = [float(x) for x in rng.random(15)]
    answer, late, work, watch, says, choice, complains, tries, tried, helps, way, finds, fits, holds, stocked = draws
    wished = read + round(_between(spec.answer_hours, answer) * HOUR)
    arrive = start + round(spec.late_minutes * late) * MINUTE
    mend = arrive + round(15.0 + 15.0 * work) * MINUTE
    travel = _between(spec.travel_minutes, way)
    self_fix = read + round(_between(spec.self_fix_hours, tried) * HOUR) if tries < spec.self_fixes else None
    return Plan(
        confirm=max(min(wished, start - _LEAST_NOTICE), read),
        dispatch=start - HOUR,
        travel=arrive - round(travel) * MINUTE,
        arrive=arrive,
        mend=mend,
        report=mend + round(20.0 + 15.0 * watch) * MINUTE,
        answer=_answer(says, spec),
        choice=choice,
        complains=complains < spec.complains,
        self_fix=self_fix,
        guide_helps=helps < spec.self_fix_works,
        travel_minutes=round(travel, 1),
        finds=finds < spec.finds,
        fits=fits >= spec.wrong_part,
        holds=holds >= spec.badly,
        stocked=stocked < spec.van_stock,
    )


@dataclass(frozen=True, slots=True)
class Call:
    """What the owner of a failed appliance does: when, and whether the words point to the right family."""

    at: int
    described: bool


def call(seed: int, fault: Fault, spec: PeopleSpec) -> Call | None:
    """What follows from a failure: a function of seed and fault."""
    rng = generator(seed, -1, "breakdown", zlib.crc32(f"{fault.device} {fault.fault} {fault.onset}".encode()))
    reports, waits, described = (float(x) for x in rng.random(3))
    if reports >= spec.reports:
        return None
    return Call(fault.failure + round(_between(spec.report_hours, waits) * HOUR), described < spec.describes)


@dataclass(frozen=True, slots=True)
class Decision:
    """What an owner says to a quote, and when."""

    at: int
    approves: bool


def decision(seed: int, quote: Quote, read: int, spec: PeopleSpec) -> Decision:
    """What an owner says to a quote: a function of seed, device, family and when it can be read."""
    rng = generator(seed, -1, "quote", zlib.crc32(f"{quote.device} {quote.family} {read // MINUTE}".encode()))
    waits, agrees = (float(x) for x in rng.random(2))
    approves = agrees < spec.approves or spec.shows(quote.device) is not None
    return Decision(read + round(_between(spec.answer_hours, waits) * HOUR), approves)


def is_reached(seed: int, device: str, about: str, number: int, share: float) -> bool:
    """Whether the owner answers dispatch's call of that number about a device and something of it."""
    rng = generator(seed, -1, "callback", zlib.crc32(f"{device} {about} {number}".encode()))
    return float(rng.random()) < share


def callback(seed: int, device: str, number: int, spec: PeopleSpec, *, urgent: bool) -> int:
    """How long somebody of dispatch takes to call an owner, microseconds: of working time unless it is urgent."""
    rng = generator(seed, -1, "calls_back", zlib.crc32(f"{device} {number}".encode()))
    return round(_between(spec.on_call_minutes if urgent else spec.response_minutes, float(rng.random())) * MINUTE)


def _answer(draw: float, spec: PeopleSpec) -> Answer:
    edge = 0.0
    for share, answer in (
        (spec.moves, Answer.MOVE),
        (spec.declines, Answer.DECLINE),
        (spec.ignores, Answer.SILENCE),
    ):
        edge += share
        if draw < edge:
            return answer
    return Answer.CONFIRM


def _between(span: tuple[float, float], draw: float) -> float:
    return span[0] + (span[1] - span[0]) * draw
