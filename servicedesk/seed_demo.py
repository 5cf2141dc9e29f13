"""Technicians and stock of the demo: enough for a fleet of some hundred appliances, the same ids every time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid5

from servicedesk.model import Certificate, PartStock, Technician
from servicedesk.travel import Place
from telemetry.catalogue import Catalogue

_NAMESPACE = UUID("0b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d0e")
_DAY = (8 * 60, 20 * 60)
_EARLY = (8 * 60, 16 * 60)
_LATE = (12 * 60, 20 * 60)
_BREAK = (11 * 60 + 30, 14 * 60, 30)
_TRAINED = date(2025, 9, 1)
_STOCK = 40
_CENTRE = Place(31.23, 121.47)
_KM_A_DEGREE = 111.2
_GOLDEN = math.pi * (3 - math.sqrt(5))
_WHOLE, _HOMES = 400, 60
# Name, skills, weekdays off (Monday 0), hours.
_PEOPLE: tuple[tuple[str, tuple[str, ...], tuple[int, ...], tuple[int, int]], ...] = (
    ("陈美", ("cooling", "appliances"), (6,), _DAY),
    ("Jonas Weber", ("cooling", "laundry"), (0,), _DAY),
    ("李强", ("laundry", "appliances"), (6,), _EARLY),
    ("Amina Yusuf", ("laundry", "cooling"), (2,), _LATE),
    ("王磊", ("hydraulics", "appliances"), (5,), _DAY),
    ("Sofia Rossi", ("cooling", "laundry", "appliances", "hydraulics"), (3,), _DAY),
)


def demo_technicians(org: str, tz: str) -> Iterator[Technician]:
    """Six technicians; every skill is there every day. Each lives in the city and drives a van."""
    for number, (name, skills, off, hours) in enumerate(_PEOPLE):
        home = demo_place(_HOMES + 29 * number)
        yield Technician(
            id=uuid5(_NAMESPACE, f"{org}/{name}"),
            org=org,
            name=name,
            skills=skills,
            tz=tz,
            hours=tuple(None if day in off else hours for day in range(7)),
            breaks=tuple(None if day in off else _BREAK for day in range(7)),
            certificates=tuple(Certificate(skill=skill, trained=_TRAINED, course=skill) for skill in skills),
            home_latitude=home.latitude,
            home_longitude=home.longitude,
            van=f"沪A·{10_000 + 137 * number}",
        )


def demo_place(number: int) -> Place:
    """Where a household lives: its number on a sunflower's spiral over some twelve kilometres of a city."""
    turn, km = number * _GOLDEN, 0.6 * math.sqrt(number % _WHOLE)
    north, east = km * math.cos(turn) / _KM_A_DEGREE, km * math.sin(turn) / _KM_A_DEGREE
    wide = math.cos(math.radians(_CENTRE.latitude))
    return Place(round(_CENTRE.latitude + north, 5), round(_CENTRE.longitude + east / wide, 5))


def demo_parts(org: str, catalogue: Catalogue) -> Iterator[PartStock]:
    """Forty of each part that the catalogue names."""
    for sku in catalogue.skus():
        yield PartStock(org=org, sku=sku, on_hand=_STOCK)
