"""Technicians and stock of the demo: enough for a fleet of some hundred appliances, the same ids every time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid5

from servicedesk.model import PartStock, Technician
from telemetry.catalogue import Catalogue

_NAMESPACE = UUID("0b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d0e")
_DAY = (8 * 60, 20 * 60)
_EARLY = (8 * 60, 16 * 60)
_LATE = (12 * 60, 20 * 60)
_STOCK = 40
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
    """Six technicians; every skill is there every day."""
    for name, skills, off, hours in _PEOPLE:
        yield Technician(
            id=uuid5(_NAMESPACE, f"{org}/{name}"),
            org=org,
            name=name,
            skills=skills,
            tz=tz,
            hours=tuple(None if day in off else hours for day in range(7)),
        )


def demo_parts(org: str, catalogue: Catalogue) -> Iterator[PartStock]:
    """Forty of each part that the catalogue names."""
    faults = (fault for kind in catalogue.kinds.values() for fault in kind.faults.values())
    for sku in sorted({part.sku for fault in faults for part in fault.parts}):
        yield PartStock(org=org, sku=sku, on_hand=_STOCK)
