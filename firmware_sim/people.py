"""Simulated owners, technicians and dispatchers. They know the product only through its `Service`.

When somebody acts is a function of the visit, its window and the seed, known before the time comes: `next_due` lets
whoever runs the clock wait for them. What they did not manage (an error of the service) they try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from firmware_sim.dispatchers import Dispatchers, Working
from firmware_sim.people_plan import HOUR, MINUTE, Answer, Decision, Plan, call, decision, plan
from firmware_sim.people_spec import WILLING, PeopleSpec
from firmware_sim.self_help import SelfHelp
from firmware_sim.service import Quote, Report, Service, ServiceError, Visit
from firmware_sim.wear import Fault
from telemetry.clock import to_micros

_STEPS = {"confirmed": "dispatched", "dispatched": "travelling", "travelling": "on_site"}
_ABOUT_TO_COME = ("confirmed", "dispatched", "travelling", "on_site")
_READINGS_NEED = 72 * HOUR
_log = structlog.get_logger(__name__)


class Bench(Protocol):
    """The appliances themselves, as those who stand before them can see and mend them."""

    def find(self, device: str) -> Sequence[Fault]:
        """The faults that an appliance has now, by onset."""
        ...

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        """Mend a family's fault; the fault that was there, or that was mended so at this time already, or None."""
        ...


@dataclass(slots=True)
class Tally:
    """What people did and what went wrong."""

    confirmed: int = 0
    repaired: int = 0
    no_fault_found: int = 0
    self_fixed: int = 0
    errors: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that people did, for whoever keeps the account.

    Attributes:
        what: `visit`, `self_fix`, `complaint` or `breakdown` (an owner called because an appliance had failed).
        at: fleet time.
        device: whose appliance.
        ticket: id, where one is known.
        visit: id of the visit.
        outcome: of a visit: `repaired`, `badly`, `wrong_part` or `no_fault_found`.
        fault: that was there, if any.
        travel_minutes: there and back.
        work_minutes: on site.
        parts: that were fitted.
    """

    what: str
    at: int
    device: str
    ticket: str = ""
    visit: str = ""
    outcome: str = ""
    fault: Fault | None = None
    travel_minutes: float = 0.0
    work_minutes: float = 0.0
    parts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Job:
    visit: Visit
    plan: Plan
    read: int
    tried: bool = False
    report: Report | None = None
    outcome: str = ""
    found: Fault | None = None


@dataclass(slots=True)
class _Hope:
    """An owner has mended it by the guide and waits for the readings to say so."""

    fault: Fault
    look: int


@dataclass(slots=True)
class _Broken:
    fault: Fault
    at: int
    described: bool


def _never(_fault: Fault) -> bool:
    return False


@dataclass(slots=True)
class People:
    """Owners, technicians and, where asked for, dispatchers of one organisation.

    Attributes:
        service: what they know of the product.
        seed: of their habits.
        bench: the appliances.
        yours: a household whose owner is not simulated: nobody answers for it.
        spec: how they behave.
        guided: whether the catalogue has a guide by which an owner can mend a fault.
        helps: by which owners follow a guide and withdraw the visit when the readings have recovered; without it
            they say at once that it is mended.
        working: when the people of dispatch work; without it they are not simulated.
        told: hears what was done.
        tally: counts.
    """

    service: Service
    seed: int
    bench: Bench
    yours: str | None = None
    spec: PeopleSpec = WILLING
    guided: Callable[[Fault], bool] = _never
    helps: SelfHelp | None = None
    working: Working | None = None
    told: Callable[[Deed], None] | None = None
    tally: Tally = field(default_factory=Tally)
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)
    _broken: dict[tuple[str, int], _Broken] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _ordered: set[tuple[str, int]] = field(default_factory=set)
    _quotes: dict[str, tuple[Quote, Decision]] = field(default_factory=dict)
    _dispatch: Dispatchers | None = None
    _hoping: dict[str, _Hope] = field(default_factory=dict)
    _been: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.working is not None:
            self._dispatch = Dispatchers(self.service, self.seed, self.spec, self._failed, self.working)

    def step(self, now: int) -> int:
        """Look at what is open and do what is due at a fleet time. Returns how many things were done."""
        try:
            self._look(now)
        except ServiceError as cause:
            self._failed("looking at visits", cause)
            return 0
        done = 0
        for job in list(self._jobs.values()):
            try:
                while (at := self._due(job)) is not None and at <= now:
                    self._act(job, at)
                    done += 1
            except ServiceError as cause:
                if cause.conflict:
                    self._jobs.pop(job.visit.id, None)
                self._failed(f"visit {job.visit.id} ({job.visit.state})", cause)
        done += self._withdraw(now)
        return (
            done
            + self._decide_quotes(now)
            + self._call_service(now)
            + (self._dispatch.step(now) if self._dispatch else 0)
        )

    def hear(self, faults: Iterable[Fault], now: int) -> None:
        """Appliances have failed: their owners notice it, and most of them call, at the earliest now."""
        for fault in faults:
            wanted = call(self.seed, fault, self.spec)
            if wanted is not None:
                self._broken[fault.device, fault.onset] = _Broken(fault, max(wanted.at, now), wanted.described)

    def next_due(self) -> int | None:
        """Fleet time of the next action that is known, or None."""
        return min(self._dues(), default=None)

    def overdue(self, now: int) -> int:
        """How many actions are open whose time has come."""
        return sum(1 for at in self._dues() if at <= now)

    def _dues(self) -> list[int]:
        found = [at for job in list(self._jobs.values()) if (at := self._due(job)) is not None]
        return (
            found
            + [one.at for one in self._broken.values()]
            + (self._dispatch.dues() if self._dispatch else [])
            + [wanted.at for _, wanted in self._quotes.values()]
        )

    def _look(self, now: int) -> None:
        seen = {visit.id: visit for visit in self.service.visits()}
        for gone in set(self._jobs) - set(seen):
            del self._jobs[gone]
            self._read.pop(gone, None)
        for visit in seen.values():
            job = self._jobs.get(visit.id)
            if job is None or job.visit != visit:
                read = self._when_read(visit, now)
                wanted = plan(self.seed, visit, read, self.spec, first=visit.device not in self._been)
                if job is None:
                    self._jobs[visit.id] = _Job(visit, wanted, read)
                else:
                    job.visit, job.plan, job.read = visit, wanted, read
        self._look_at_quotes(now)
        if self._dispatch is not None:
            self._dispatch.look(now, {job.visit.ticket for job in self._jobs.values()})

    def _look_at_quotes(self, now: int) -> None:
        open_now = {one.id: one for one in self.service.quotes() if self.yours is None or one.household != self.yours}
        self._quotes = {name: one for name, one in self._quotes.items() if name in open_now}
        for name, one in open_now.items():
            if name not in self._quotes:
                self._quotes[name] = one, decision(self.seed, one, now, self.spec)

    def _when_read(self, visit: Visit, now: int) -> int:
        """When the owner can have read of a visit; without a notice, when it was first seen."""
        if visit.readable is not None:
            self._read[visit.id] = to_micros(visit.readable)
        return self._read.setdefault(visit.id, now)

    def _due(self, job: _Job) -> int | None:
        state, wanted = job.visit.state, job.plan
        if state == "on_site":
            return wanted.mend if job.report is None else wanted.report
        times = {
            "proposed": None if self._silent(job) else wanted.confirm,
            "confirmed": wanted.dispatch,
            "dispatched": wanted.travel,
            "travelling": wanted.arrive,
        }
        at = times.get(state)
        if self._tries(job) and wanted.self_fix is not None and (at is None or wanted.self_fix < at):
            return wanted.self_fix
        return at

    def _silent(self, job: _Job) -> bool:
        return job.plan.answer is Answer.SILENCE or (self.yours is not None and job.visit.household == self.yours)

    def _tries(self, job: _Job) -> bool:
        """Whether the owner still means to try the guide before anybody comes."""
        yours = self.yours is not None and job.visit.household == self.yours
        hopes = job.visit.ticket in self._hoping
        return not job.tried and not hopes and not yours and job.visit.state in {"proposed", "confirmed"}

    def _act(self, job: _Job, at: int) -> None:
        visit = job.visit
        if at == job.plan.self_fix and self._tries(job):
            self._try_guide(job, at)
        elif visit.state == "proposed":
            self._answer(job, at)
        elif visit.state in _STEPS:
            self.service.advance(visit, _STEPS[visit.state])
            job.visit = msgspec.structs.replace(visit, state=_STEPS[visit.state])
        elif job.report is None:
            self._mend(job)
        else:
            self._hand_in(job, job.report)

    def _answer(self, job: _Job, at: int) -> None:
        visit, answer = job.visit, job.plan.answer
        if visit.ticket in self._again and job.plan.complains:
            self._again.discard(visit.ticket)
            self.service.complain(visit.ticket, "This is not the first visit for the same trouble.")
            if self._dispatch is not None:
                self._dispatch.hear(visit.ticket, visit.device, at)
            self._tell(Deed(what="complaint", at=at, device=visit.device, ticket=visit.ticket))
        if answer is Answer.DECLINE:
            self.service.decline(visit)
            self._over(job, "declined")
            return
        others = [one for one in self.service.windows(visit) if one != visit.window] if answer is Answer.MOVE else []
        if others:
            self.service.move(visit, others[int(job.plan.choice * min(len(others), 3))])
            self._over(job, "moved")
        else:
            self.service.confirm(visit)
            job.visit = msgspec.structs.replace(visit, state="confirmed")
        self.tally.confirmed += 1

    def _over(self, job: _Job, state: str) -> None:
        """Nobody has anything more to do about this visit."""
        job.visit = msgspec.structs.replace(job.visit, state=state)
        self._jobs.pop(job.visit.id, None)

    def _try_guide(self, job: _Job, at: int) -> None:
        job.tried = True
        visit = job.visit
        there = next((one for one in self.bench.find(visit.device) if one.family == visit.family), None)
        if there is None or not job.plan.guide_helps or not self.guided(there):
            return
        self.bench.mend(visit.device, visit.family, at, "self_fix")
        if not job.plan.tells:
            return
        if self.helps is not None:
            if self.helps.follow(visit.ticket):
                self._hoping[visit.ticket] = _Hope(there, at + HOUR)
                self._postpone(job, at)
            return
        self.service.self_fix(visit.ticket)
        self._tell(Deed(what="self_fix", at=at, device=visit.device, ticket=visit.ticket, fault=there))
        self._over(job, "cancelled")

    def _postpone(self, job: _Job, at: int) -> None:
        """The readings need some days to say whether it helped: the owner takes the first window after that."""
        later = [one for one in self.service.windows(job.visit) if to_micros(one.start) >= at + _READINGS_NEED]
        if later:
            self.service.move(job.visit, min(later, key=lambda one: one.start))
            self._over(job, "moved")

    def _withdraw(self, now: int) -> int:
        """Owners for whom the guide has worked look every hour whether the visit can be withdrawn, until it begins."""
        done = 0
        for ticket, hope in list(self._hoping.items()):
            if self.helps is None or hope.look > now:
                continue
            job = next((each for each in self._jobs.values() if each.visit.ticket == ticket), None)
            if job is None or job.visit.state not in {"proposed", "confirmed", "dispatched"}:
                del self._hoping[ticket]
                continue
            hope.look = now + HOUR
            try:
                if not self.helps.withdraw(ticket):
                    continue
            except ServiceError as cause:
                self._failed(f"withdrawing the visit of {hope.fault.device}", cause)
                continue
            del self._hoping[ticket]
            self.tally.self_fixed += 1
            self._tell(Deed(what="self_fix", at=now, device=hope.fault.device, ticket=ticket, fault=hope.fault))
            self._over(job, "cancelled")
            done += 1
        return done

    def _mend(self, job: _Job) -> None:
        """What the technician finds and does on site."""
        visit, wanted = job.visit, job.plan
        there = list(self.bench.find(visit.device))
        own = next((one for one in there if one.family == visit.family), None)
        if own is None and not there:
            # Nothing to be found; or it was mended before an answer got lost.
            found = self.bench.mend(visit.device, visit.family, wanted.mend, "visit")
            job.outcome = "no_fault_found" if found is None else "repaired"
        else:
            found = own or there[0]
            known = (found.device, found.onset) in self._ordered
            if not wanted.finds and not known:
                job.outcome = "no_fault_found"
            elif not known and not _has_the_part(visit, wanted, found):
                job.outcome = "wrong_part"
                self._ordered.add((found.device, found.onset))
            elif not wanted.holds:
                job.outcome = "badly"
            else:
                job.outcome = "repaired"
                self.bench.mend(visit.device, found.family, wanted.mend, "visit")
        job.found, job.report = found, _report(job.outcome, found, visit)

    def _hand_in(self, job: _Job, report: Report) -> None:
        visit, wanted = job.visit, job.plan
        self.service.report(visit, report)
        job.visit = msgspec.structs.replace(visit, state="done")
        self._been.add(visit.device)
        if job.outcome in {"wrong_part", "badly"}:
            self._again.add(visit.ticket)
        self.tally.repaired += report.code == "repaired"
        self.tally.no_fault_found += report.code == "no_fault_found"
        work = (wanted.report - wanted.arrive) / MINUTE
        self._tell(
            Deed(
                what="visit",
                at=wanted.report,
                device=visit.device,
                ticket=visit.ticket,
                visit=visit.id,
                outcome=job.outcome,
                fault=job.found,
                travel_minutes=2.0 * wanted.travel_minutes,
                work_minutes=work,
                parts=report.parts,
            )
        )

    def _decide_quotes(self, now: int) -> int:
        """Owners agree to their quotes or not."""
        done = 0
        for name, (one, wanted) in list(self._quotes.items()):
            if wanted.at > now:
                continue
            try:
                if wanted.approves:
                    self.service.approve(one)
                else:
                    self.service.decline_quote(one, "That is too much for it.")
                done += 1
            except ServiceError as cause:
                self._failed(f"deciding on quote {name}", cause)
                if not cause.conflict:
                    continue
            del self._quotes[name]
        return done

    def _call_service(self, now: int) -> int:
        """Owners of failed appliances call, unless somebody is about to come or it was mended meanwhile."""
        done = 0
        for key, one in list(self._broken.items()):
            if one.at > now:
                continue
            fault = one.fault
            try:
                if any(there.onset == fault.onset for there in self.bench.find(fault.device)):
                    coming = any(
                        job.visit.device == fault.device and job.visit.state in _ABOUT_TO_COME
                        for job in self._jobs.values()
                    )
                    if not coming:
                        family = fault.family if one.described else None
                        ticket = self.service.report_fault(fault.device, family, "It no longer works.")
                        if self._dispatch is not None:
                            self._dispatch.hear(ticket, fault.device, now)
                    self._tell(Deed(what="breakdown", at=one.at, device=fault.device, fault=fault))
                    done += 1
            except ServiceError as cause:
                self._failed(f"calling about {fault.device}", cause)
                if not cause.conflict:
                    continue
            del self._broken[key]
        return done

    def _tell(self, deed: Deed) -> None:
        if self.told is not None:
            self.told(deed)

    def _failed(self, what: str, cause: Exception) -> None:
        self.tally.errors += 1
        self.tally.last_error = f"{what}: {cause}"
        _log.warning("people could not act", what=what, why=str(cause)[:300])


def _has_the_part(visit: Visit, wanted: Plan, found: Fault) -> bool:
    """Whether what was brought mends the fault: of another family only with luck."""
    if found.family != visit.family:
        return wanted.stocked
    return wanted.fits or not visit.parts


def _report(outcome: str, found: Fault | None, visit: Visit) -> Report:
    """What the technician says of what was done: of a repair that will not hold he says that it is one."""
    cause = found.fault if found is not None else None
    match outcome:
        case "no_fault_found":
            return Report("no_fault_found", note="Everything in order.")
        case "wrong_part":
            return Report("part_missing", cause, note="The part does not fit; another one is on order.")
        case _:
            return Report("repaired", cause, tuple(visit.parts), "Runs as it should.")
