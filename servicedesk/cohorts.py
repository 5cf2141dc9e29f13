"""Devices compared with their peers, once a fleet day: what a cohort has in common reaches each as a control entry.

A cohort is the devices of one organisation and kind that run the same firmware, of one model where these are enough.
Across firmware nobody is compared: what an update does would be subtracted from those who do not have it. What is told
of a feature is the median over the others, which one device cannot move, and how far the middle half of them lies
apart. A device hears of it only when it has moved, at most once a day, and again every few days while it is not as
made: what is not repeated goes stale, so that a fleet that falls silent leaves nobody with an old reference.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import NamedTuple
from uuid import UUID

from servicedesk.cohort_rows import Member
from servicedesk.office import Office
from servicedesk.ports import Desk
from telemetry.cohort import CohortReference, CohortSummary, Common
from telemetry.control import ControlKind

COMPARE = "compare_cohorts"
"""Due: once a fleet day."""
ALL = UUID(int=0)
"""What it is due for: all cohorts at once."""
FEWEST = 8
"""Peers that a comparison needs."""
HOUR = timedelta(hours=2)
"""After midnight, UTC: by then hardly a cycle of the day before is still to come."""
_DAY = timedelta(days=1)
_FRESH = 2
"""Days that a summary counts."""
_KEPT = 30
"""Days that a summary is kept."""
_MOVED = 0.5
"""Scatters of one cycle that a common movement must reach to count, and must change by to be told again."""
_STANDS = 0.7
"""Share of `_MOVED` down to which a movement that was told still counts."""
_SURE = 2.5
"""Standard errors of the median that it must reach: 1.25 times that of a mean (Kenney and Keeping 1962), twice."""
_AGAIN = timedelta(days=4)
_QUARTILES = 1.349
"""Between the quartiles of a normal, in standard deviations."""
_DIGITS = 6


class _Asked(NamedTuple):
    """What a kind's page asks for."""

    shifts: bool
    starts: bool


class _Column(NamedTuple):
    """One number of a feature over a cohort: ascending values, and each device's place among them."""

    values: list[float]
    place: dict[int, int]


def day_of(moment: datetime) -> int:
    """Whole days since 1970, UTC."""
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // _DAY


def take_summary(desk: Desk, device: int, summary: CohortSummary, at: datetime) -> None:
    """Keep what a device tells of itself, and see that it will be compared.

    Args:
        desk: on the transaction of the readings that it rests on.
        device: its number.
        summary: what it tells.
        at: fleet time.
    """
    desk.cohorts.enter(device, summary)
    desk.agenda.keep_due(COMPARE, ALL, _next(at))


def compare(office: Office, ref: UUID, now: datetime) -> int:  # noqa: ARG001  (a due thing's)
    """Compare all cohorts and tell devices what has moved. Returns how many were told."""
    desk, today = office.desk, day_of(now)
    members = desk.cohorts.members(today - _FRESH)
    told = 0
    for listeners, peers, asked in _cohorts(office, members):
        found = references(peers, shifts=asked.shifts, starts=asked.starts)
        for member in listeners:
            new = found.get(member.device) or CohortReference(today, {})
            if _is_news(member, new, now):
                desk.agenda.control(office.new_id(), member.device, str(ControlKind.COHORT_REFERENCE), now, new.body())
                desk.cohorts.tell(member.device, new, now)
                told += 1
    desk.cohorts.forget(today - _KEPT)
    if any(each.summary is not None for each in members):
        desk.agenda.keep_due(COMPARE, ALL, _next(now))
    return told


def references(members: Sequence[Member], *, shifts: bool, starts: bool) -> dict[int, CohortReference]:
    """What each device of a cohort would hear of the others; nobody who has fewer than `FEWEST` peers.

    Args:
        members: devices that are peers of each other.
        shifts: whether common movements are asked for.
        starts: whether the level of peers is asked for.
    """
    there = [(each, each.summary) for each in members if each.summary is not None]
    if len(there) <= FEWEST:
        return {}
    newest = max(summary.day for _, summary in there)
    names = sorted({name for _, summary in there for name in summary.features})
    found: dict[int, dict[str, Common]] = {each.device: {} for each, _ in there}
    for name in names:
        own = {each.device: summary.features[name] for each, summary in there if name in summary.features}
        shift = _column({no: one.shift for no, one in own.items()} if shifts else {})
        level = _column({no: one.level for no, one in own.items()} if starts else {})
        scatter = median(one.scatter for one in own.values())
        for each, _ in there:
            before = None if each.told is None else each.told.features.get(name)
            common = _common(each.device, shift, level, scatter, before)
            if common is not None:
                found[each.device][name] = common
    return {device: CohortReference(newest, features) for device, features in found.items()}


def _common(device: int, shift: _Column, level: _Column, scatter: float, before: Common | None) -> Common | None:
    moved, levels = _others(shift, device), _others(level, device)
    told: dict[str, float] = {}
    if moved is not None:
        n, middle, spread = moved
        least = _MOVED * scatter * (_STANDS if before is not None and before.shift else 1.0)
        if abs(middle) >= max(least, _SURE * spread / math.sqrt(n)):
            told |= {"shift": _short(middle), "shift_spread": _short(spread)}
    if levels is not None:
        told |= {"level": _short(levels[1]), "level_spread": _short(levels[2])}
    if not told:
        return None
    peers = min(one[0] for one in (moved, levels) if one is not None)
    return Common(peers=peers, **told)


def _cohorts(office: Office, members: Iterable[Member]) -> Iterable[tuple[list[Member], list[Member], _Asked]]:
    """Who is told, of whom, and what the kind asks for; a model of too few is held against all of its firmware."""
    kinds: dict[tuple[str, str, str], list[Member]] = defaultdict(list)
    for each in members:
        firmware = "" if each.summary is None else each.summary.firmware or ""
        kinds[each.org, each.kind, firmware].append(each)
    for (_, kind, _), of_kind in sorted(kinds.items()):
        tuning: Mapping[str, float] = office.catalogue[kind].tuning if kind in office.catalogue else {}
        asked = _Asked(tuning.get("cohort_shift", 0) > 0, tuning.get("cohort_start", 0) > 0)
        models: dict[str, list[Member]] = defaultdict(list)
        for each in of_kind:
            models[each.model or ""].append(each)
        few: list[Member] = []
        for _, some in sorted(models.items()):
            if sum(one.summary is not None for one in some) > FEWEST:
                yield some, some, asked
            else:
                few += some
        if few:
            yield few, of_kind, asked


def _others(column: _Column, device: int) -> tuple[int, float, float] | None:
    """How many peers a device has, their median and their spread; None when they are too few."""
    place = column.place.get(device)
    n = len(column.values) - (place is not None)
    if n < FEWEST:
        return None

    def at(index: int) -> float:
        return column.values[index if place is None or index < place else index + 1]

    def quantile(share: float) -> float:
        exact = share * (n - 1)
        low = int(exact)
        return at(low) + (exact - low) * (at(min(low + 1, n - 1)) - at(low))

    return n, quantile(0.5), (quantile(0.75) - quantile(0.25)) / _QUARTILES


def _column(values: Mapping[int, float | None]) -> _Column:
    known = sorted((value, device) for device, value in values.items() if value is not None)
    return _Column([value for value, _ in known], {device: place for place, (_, device) in enumerate(known)})


def _is_news(member: Member, new: CohortReference, now: datetime) -> bool:
    """Whether a device has to hear of a reference."""
    old, own = member.told, member.summary
    if old is None or member.told_at is None:
        return bool(new.features)
    if not (old.features or new.features) or now - member.told_at < _DAY - HOUR:
        return False
    if now - member.told_at >= _AGAIN or old.features.keys() != new.features.keys():
        return True
    scatters = {} if own is None else {name: one.scatter for name, one in own.features.items()}
    return any(_has_moved(old.features[name], one, scatters.get(name, 0.0)) for name, one in new.features.items())


def _has_moved(old: Common, new: Common, scatter: float) -> bool:
    if (old.level is None) != (new.level is None) or bool(old.shift) != bool(new.shift):
        return True
    if old.level is not None and new.level is not None and abs(old.level - new.level) > _MOVED * new.level_spread:
        return True
    return abs(old.shift - new.shift) > _MOVED * scatter


def _next(at: datetime) -> datetime:
    """The next time to compare, behind a moment."""
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + day_of(at) * _DAY
    return midnight + HOUR if at < midnight + HOUR else midnight + _DAY + HOUR


def _short(x: float) -> float:
    return float(f"{x:.{_DIGITS}g}")
