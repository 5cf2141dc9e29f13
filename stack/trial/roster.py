"""Who lives with a trial's appliances and who repairs them: households, technicians, stock; the same every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from firmware_sim.confounders import occurrences
from firmware_sim.households import Appliance as Unit
from firmware_sim.scenario import World
from servicedesk.memory import MemoryDesk, MemoryParts
from servicedesk.model import Contact, PartStock, Technician
from servicedesk.seed_demo import demo_parts
from stack.demo_fleet import household_id, household_of
from stack.errors import StackError
from stack.trial.record import ConfounderRecord
from storage.desk import register_household
from storage.pool import Connection
from storage.registry import DeviceRow, register_device
from storage.telemetry_rows import FirmwareSpell
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime
from worker.desk import appliance_of

_NAMESPACE = UUID("9e1f7b0a-8d0b-5b8e-a5b0-0f4f4f6f5d11")
_DEVICES_EACH = 60
_LEAST = 6
_SHIFTS = ((8 * 60, 20 * 60), (8 * 60, 16 * 60), (12 * 60, 20 * 60))
_LOW, _FULL = 10, 40


def rows_of(units: Sequence[Unit], registered: datetime) -> tuple[DeviceRow, ...]:
    """The fleet as it is registered: the number of a device is its index plus one."""
    return tuple(
        DeviceRow(
            no=unit.index + 1,
            org=unit.org,
            device=unit.device,
            kind=unit.kind,
            model=unit.model,
            serial=unit.serial,
            room=unit.room,
            lang=unit.household.lang,
            household=household_id(unit.org, unit.household.id),
            installed=None,
            warranty_until=None,
            registered=registered,
            lot=unit.lot,
        )
        for unit in units
    )


def innocent(world: World, units: Sequence[Unit], end: int) -> tuple[ConfounderRecord, ...]:
    """What was innocent and began before the end, by its begin."""
    found = [
        ConfounderRecord(device=unit.key, confounder=one.what, begin=one.begin, end=one.end)
        for unit in units
        for one in occurrences(world, unit)
        if one.begin < end
    ]
    return tuple(sorted(found, key=lambda each: (each.begin, each.device, each.confounder, each.end)))


def enter_registry(conn: Connection, units: Sequence[Unit], rows: Sequence[DeviceRow]) -> None:
    """Register households and devices with a fresh database; devices get the numbers of their rows."""
    known: set[UUID] = set()
    for unit, row in zip(units, rows, strict=True):
        home = household_of(unit.household, unit.org, row.registered)
        if home.id not in known:
            known.add(home.id)
            register_household(conn, home, email=f"{unit.household.id}@households.example")
        entered = register_device(
            conn,
            row.key,
            row.kind,
            registered=row.registered,
            model=row.model,
            serial=row.serial,
            room=row.room,
            lang=row.lang,
            household=row.household,
            lot=row.lot,
        )
        if entered.no != row.no:
            raise StackError(f"{row.key} is device {entered.no} here, not {row.no}: the database is not a fresh one")


def technicians(org: str, tz: str, catalogue: Catalogue, devices: int) -> Iterator[Technician]:
    """One for every sixty appliances, six at least; every skill is there every day."""
    skills = sorted({fault.skill for kind in catalogue.kinds.values() for fault in kind.faults.values()})
    for number in range(max(_LEAST, -(-devices // _DEVICES_EACH))):
        # Every third one knows everything, the others two thirds of it.
        own = tuple(skill for place, skill in enumerate(skills) if number % 3 == 0 or (place + number) % 3)
        yield Technician(
            id=uuid5(_NAMESPACE, f"{org}/{number}"),
            org=org,
            name=f"Technician {number + 1}",
            skills=own,
            tz=tz,
            hours=tuple(None if day == number % 7 else _SHIFTS[number % len(_SHIFTS)] for day in range(7)),
        )


def furnish(desk: MemoryDesk, units: Sequence[Unit], rows: Sequence[DeviceRow], catalogue: Catalogue) -> None:
    """Enter everybody and everything that the desk must know of."""
    people, registered = desk.people, rows[0].registered
    org, tz = units[0].org, units[0].household.tz
    for unit in units:
        home = household_of(unit.household, org, registered)
        if home.id not in people.households:
            people.households[home.id] = home
            contact = uuid5(home.id, "owner")
            address = f"{unit.household.id}@households.example"
            people.contact_rows.append(Contact(id=contact, household=home.id, email=address))
    people.appliances = {row.no: appliance_of(row) for row in rows}
    people.technician_rows.extend(technicians(org, tz, catalogue, len(rows)))
    desk.parts.rows = {(part.org, part.sku): part for part in demo_parts(org, catalogue)}
    desk.agenda.devices = {row.key: row.no for row in rows}


def histories(spells: Iterable[FirmwareSpell]) -> dict[int, list[tuple[datetime, str]]]:
    """What devices said of their firmware, by number: whole histories, as the worker keeps them."""
    found: dict[int, list[tuple[datetime, str]]] = {}
    for each in spells:
        found.setdefault(each.device, []).append((to_datetime(each.since), each.version))
    return found


def restock(parts: MemoryParts) -> None:
    """The depot's delivery: what runs low is there again; what is reserved stays so."""
    for place, part in parts.rows.items():
        if part.free < _LOW:
            parts.rows[place] = PartStock(
                org=part.org, sku=part.sku, on_hand=part.reserved + _FULL, reserved=part.reserved
            )
