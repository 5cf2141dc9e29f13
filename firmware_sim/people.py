"""Simulated owners and technicians. They know the product only through its public HTTP API.

When somebody acts is a function of the visit, its window and the seed, known before the time comes: `next_due` lets
whoever runs the clock wait for them. What they did not manage (an error of the API) they try again at the next step.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec
import structlog

from firmware_sim.chance import generator
from firmware_sim.wear import Fault
from telemetry.clock import MICROS, to_micros

_MINUTE = 60 * MICROS
_HOUR = 60 * _MINUTE
_LIVE = "proposed,confirmed,dispatched,travelling,on_site"
_PAGE = 200
_CONFLICT = 409
_TIMEOUT_S = 10.0
_log = structlog.get_logger(__name__)


class Window(msgspec.Struct, frozen=True):
    """Two hours in which a technician comes."""

    start: datetime
    end: datetime


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What people read of a visit."""

    id: str
    ticket: str
    device: str
    family: str
    window: Window
    state: str
    readable: datetime | None = None
    household: str | None = None
    parts: list[str] = []


class _Page(msgspec.Struct):
    items: list[Visit]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Fleet times at which people act on one visit, microseconds, ascending.

    Attributes:
        confirm: the owner agrees.
        dispatch: the technician takes the job.
        travel: sets off.
        arrive: stands at the door.
        mend: has mended the appliance, and watches it run for a while.
        report: hands in the outcome.
    """

    confirm: int
    dispatch: int
    travel: int
    arrive: int
    mend: int
    report: int


def plan(seed: int, visit: Visit, read: int) -> Plan:
    """When people act: a function of seed, visit, its window and when its notice can be read."""
    rng = generator(seed, -1, "people", zlib.crc32(visit.id.encode()))
    answer, late, work, watch = (float(x) for x in rng.random(4))
    start = to_micros(visit.window.start)
    wished = read + round((1.0 + 5.0 * answer) * _HOUR)
    arrive = start + round(50.0 * late) * _MINUTE
    mend = arrive + round(15.0 + 15.0 * work) * _MINUTE
    return Plan(
        confirm=max(min(wished, start - 2 * _HOUR), read),
        dispatch=start - _HOUR,
        travel=arrive - 30 * _MINUTE,
        arrive=arrive,
        mend=mend,
        report=mend + round(20.0 + 15.0 * watch) * _MINUTE,
    )


@dataclass(slots=True)
class Tally:
    """What people did and what went wrong."""

    confirmed: int = 0
    repaired: int = 0
    no_fault_found: int = 0
    errors: int = 0
    last_error: str = ""


@dataclass(slots=True)
class _Job:
    visit: Visit
    plan: Plan
    mended: bool = False
    found: Fault | None = None


@dataclass(slots=True)
class People:
    """Owners and technicians of one organisation.

    Attributes:
        client: with base URL and bearer token.
        seed: of their habits.
        repair: mends an appliance: `(device, family, at)` gives the fault that was there, or None.
        yours: a household whose owner is not simulated: nobody confirms for it.
        tally: counts.
    """

    client: httpx.Client
    seed: int
    repair: Callable[[str, str, int], Fault | None]
    yours: str | None = None
    tally: Tally = field(default_factory=Tally)
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)

    def step(self, now: int) -> int:
        """Look at the visits and do what is due at a fleet time. Returns how many things were done."""
        try:
            self._look(now)
        except (httpx.HTTPError, msgspec.ValidationError, msgspec.DecodeError) as cause:
            self._failed("looking at visits", cause)
            return 0
        done = 0
        for job in list(self._jobs.values()):
            try:
                while (at := self._due(job)) is not None and at <= now:
                    self._act(job)
                    done += 1
            except (httpx.HTTPError, msgspec.ValidationError, msgspec.DecodeError) as cause:
                self._failed(f"visit {job.visit.id} ({job.visit.state})", cause)
        return done

    def next_due(self) -> int | None:
        """Fleet time of the next action that is known, or None."""
        return min((at for job in list(self._jobs.values()) if (at := self._due(job)) is not None), default=None)

    def overdue(self, now: int) -> int:
        """How many actions are open whose time has come."""
        return sum(1 for job in list(self._jobs.values()) if (at := self._due(job)) is not None and at <= now)

    def _look(self, now: int) -> None:
        seen: dict[str, Visit] = {}
        cursor: str | None = None
        while True:
            query = {"state": _LIVE, "limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
            page = msgspec.json.decode(self._get("/v1/visits", query), type=_Page)
            seen |= {visit.id: visit for visit in page.items}
            cursor = page.next
            if cursor is None:
                break
        for gone in set(self._jobs) - set(seen):
            del self._jobs[gone]
            self._read.pop(gone, None)
        for visit in seen.values():
            job = self._jobs.get(visit.id)
            if job is None:
                self._jobs[visit.id] = _Job(visit, plan(self.seed, visit, self._when_read(visit, now)))
            elif job.visit != visit:
                job.visit, job.plan = visit, plan(self.seed, visit, self._when_read(visit, now))

    def _when_read(self, visit: Visit, now: int) -> int:
        """When the owner can have read of a visit; without a notice, when it was first seen."""
        if visit.readable is not None:
            self._read[visit.id] = to_micros(visit.readable)
        return self._read.setdefault(visit.id, now)

    def _due(self, job: _Job) -> int | None:
        state = job.visit.state
        if state == "proposed":
            return None if self.yours is not None and job.visit.household == self.yours else job.plan.confirm
        if state == "on_site":
            return job.plan.report if job.mended else job.plan.mend
        times = {"confirmed": job.plan.dispatch, "dispatched": job.plan.travel, "travelling": job.plan.arrive}
        return times.get(state)

    def _act(self, job: _Job) -> None:
        visit = job.visit
        moves = {"confirmed": "dispatched", "dispatched": "travelling", "travelling": "on_site"}
        if visit.state == "proposed":
            self._post(job, "confirm", {}, "confirmed")
            self.tally.confirmed += 1
        elif visit.state in moves:
            self._post(job, "moves", {"to": moves[visit.state]}, moves[visit.state])
        elif not job.mended:
            job.found, job.mended = self.repair(visit.device, visit.family, job.plan.mend), True
        elif job.found is None:
            body: dict[str, Any] = {
                "code": "no_fault_found",
                "cause": None,
                "parts": [],
                "note": "Everything in order.",
            }
            self._post(job, "outcome", body, "done")
            self.tally.no_fault_found += 1
        else:
            body = {"code": "repaired", "cause": job.found.fault, "parts": visit.parts, "note": "Runs as it should."}
            self._post(job, "outcome", body, "done")
            self.tally.repaired += 1

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        answer = self.client.get(path, params=query, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.content

    def _post(self, job: _Job, what: str, body: dict[str, Any], state: str) -> None:
        """Do one thing; after a conflict the next look shows what somebody else did.

        An answer that never came is asked for again with the same key: the thing is done once.
        """
        path, key = f"/v1/visits/{job.visit.id}/{what}", f"{job.visit.id}:{state}"
        answer = self.client.post(path, json=body, headers={"Idempotency-Key": key}, timeout=_TIMEOUT_S)
        if answer.status_code == _CONFLICT:
            self._jobs.pop(job.visit.id, None)
        answer.raise_for_status()
        job.visit = msgspec.structs.replace(job.visit, state=state)

    def _failed(self, what: str, cause: Exception) -> None:
        self.tally.errors += 1
        self.tally.last_error = f"{what}: {cause}"
        _log.warning("people could not act", what=what, why=str(cause)[:300])
