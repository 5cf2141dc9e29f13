"""How long the windows for one owner take beside a full calendar."""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from servicedesk.model import Booking, Technician
from servicedesk.planner import LENGTH, Demand, Roster, offers, windows
from servicedesk.travel import Place

_NOW = datetime(2026, 3, 2, tzinfo=UTC)
_DAYS = 14
_ZONE = "Asia/Shanghai"
_SKILLS = ("cooling", "laundry", "hydraulics", "appliances")


def bench_offers(technicians: int = 40, bookings: int = 600, runs: int = 30) -> dict[str, Any]:
    """Milliseconds for all windows of fourteen days: each asker lives elsewhere and needs another skill.

    Args:
        technicians: everybody has a break; the skills are spread.
        bookings: visits that are there already.
        runs: askers.
    """
    rng = random.Random(1)  # noqa: S311  (no secret)
    people = [_technician(rng, number) for number in range(technicians)]
    slots = [(each.id, window) for each in people for window in windows(_NOW, _NOW + timedelta(days=_DAYS), _ZONE)]
    booked: dict[UUID, list[Booking]] = {}
    for who, window in rng.sample(slots, min(bookings, len(slots))):
        booked.setdefault(who, []).append(Booking(window=window, ticket=UUID(int=1), place=_place(rng), minutes=60))
    roster = Roster(technicians=people, booked=booked)
    wall, cpu = [], []
    for number in range(runs):
        demand = Demand(
            skill=_SKILLS[number % len(_SKILLS)],
            parts=(),
            earliest=_NOW + timedelta(hours=20),
            latest=None,
            until=_NOW + timedelta(days=_DAYS) + LENGTH,
            tz=_ZONE,
            place=_place(rng),
            minutes=75,
        )
        before, spent = time.perf_counter(), time.process_time()
        offers(demand, roster)
        cpu.append((time.process_time() - spent) * 1000)
        wall.append((time.perf_counter() - before) * 1000)
    return {
        "offers_technicians": technicians,
        "offers_bookings": bookings,
        "offers_days": _DAYS,
        "offers_ms": round(statistics.median(wall), 1),
        "offers_p95_ms": round(sorted(wall)[int(len(wall) * 0.95)], 1),
        "offers_cpu_ms": round(statistics.median(cpu), 1),
    }


def _technician(rng: random.Random, number: int) -> Technician:
    home = _place(rng)
    off, start = number % 7, 60 * rng.choice((8, 8, 9, 10))
    return Technician(
        id=UUID(int=number + 1),
        org="bench",
        name=f"T{number:02}",
        skills=tuple(rng.sample(_SKILLS, 3)),
        tz=_ZONE,
        hours=tuple(None if day == off else (start, start + 9 * 60) for day in range(7)),
        breaks=((11 * 60, 14 * 60, 30),) * 7,
        home_latitude=home.latitude,
        home_longitude=home.longitude,
    )


def _place(rng: random.Random) -> Place:
    return Place(31.23 + rng.gauss(0, 0.08), 121.47 + rng.gauss(0, 0.1))
