"""Enters the simulated neighbourhood into the product: households, devices, technicians, tokens."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

from firmware_sim.fleet import Fleet
from firmware_sim.households import Household as Home
from firmware_sim.scenario import load_scenario
from firmware_sim.wear import Fault
from servicedesk.model import Household
from servicedesk.seed_demo import demo_place, demo_technicians
from stack.process import write_secret
from storage import access, registry
from storage.access import Role
from storage.desk import register_household, seed_demo
from storage.pool import Connection
from telemetry.clock import to_datetime, to_micros
from telemetry.identity import DeviceKey

SCENARIO = "demo"
ROAD = "mei"
"""Login of one of the technicians."""
# A Monday morning in the fleet's zone: offices are open, so that the first alert is not held by quiet hours.
START = datetime.fromisoformat("2026-03-02T08:00:00+08:00")
_HOMES = UUID("5c2a0d5e-2f1b-5c2e-9f7e-6a4f2f0f3a51")
_BOUGHT = timedelta(days=1_100)
_WARRANTY_YEARS = timedelta(days=2 * 365)
_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoState:
    """What a demo remembers between runs; its file is closed to others.

    Attributes:
        scenario: id.
        seed: of the fleet.
        start: fleet time of the fleet's start, microseconds.
        yours: household that is yours.
        yours_device: its appliance that will have the fault.
        token: of the simulated people.
        password: of the staff login, shown once.
        road: password of the technician's login, shown once.
        answered: whether your household's alert was answered in an earlier run.
    """

    scenario: str
    seed: int
    start: int
    yours: str
    yours_device: str
    token: str
    password: str
    answered: bool = False
    road: str = ""

    def save(self, data_dir: Path) -> None:
        """Write it."""
        write_secret(data_dir / _FILE, json.dumps(asdict(self), indent=1))


def load_state(data_dir: Path) -> DemoState | None:
    """The demo of a data directory, or None before its first run."""
    try:
        return DemoState(**json.loads((data_dir / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def household_id(org: str, household: str) -> UUID:
    """The desk's id of a simulated household."""
    return uuid5(_HOMES, f"{org}/{household}")


def household_of(home: Home, org: str, registered: datetime) -> Household:
    """A simulated household as the desk registers it."""
    place = demo_place(home.number)
    return Household(
        id=household_id(org, home.id),
        org=org,
        name=home.name,
        lang=home.lang,
        tz=home.tz,
        registered=registered,
        address=home.address,
        consent_alerts=home.consents.get("alerts", True),
        consent_service=home.consents.get("service", True),
        simulated=True,
        latitude=place.latitude,
        longitude=place.longitude,
    )


def make_fleet(seed: int, start: int) -> Fleet:
    """The fleet that the simulator runs, for its names and its truth."""
    return Fleet(load_scenario(SCENARIO), seed, start)


def enter(conn: Connection, seed: int, now: datetime) -> DemoState:
    """Register everybody and everything in one transaction; harmless when repeated.

    Args:
        conn: inside a transaction.
        seed: of the fleet.
        now: wall time, for tokens and logins.
    """
    start = to_micros(START)
    fleet = make_fleet(seed, start)
    zone = fleet.devices[0].household.tz
    seed_demo(conn, fleet.scenario.org, tz=zone)
    registered = to_datetime(start)
    for home in {device.household.id: device.household for device in fleet.devices}.values():
        register_household(
            conn, household_of(home, fleet.scenario.org, registered), email=f"{home.id}@households.example"
        )
    for number, device in enumerate(fleet.devices):
        installed, warranty_until = warranty_of(number, registered)
        registry.register_device(
            conn,
            DeviceKey(device.org, device.device),
            device.kind,
            registered=registered,
            model=device.model,
            serial=device.serial,
            room=device.room,
            lang=device.household.lang,
            household=household_id(device.org, device.household.id),
            installed=installed,
            warranty_until=warranty_until,
            lot=device.lot,
        )
    first = first_fault(fleet)
    owner = next(device for device in fleet.devices if device.key == first.device)
    who = next(iter(demo_technicians(fleet.scenario.org, zone)))
    road = access.create_staff(conn, ROAD, now=now, name=who.name, role=Role.TECHNICIAN, technician=who.id)
    return DemoState(
        scenario=SCENARIO,
        seed=seed,
        start=start,
        yours=str(household_id(owner.org, owner.household.id)),
        yours_device=owner.key,
        token=access.create_token(conn, Role.PEOPLE, now=now, label="simulated people", org=fleet.scenario.org),
        password=access.create_staff(conn, "dispatch", now=now, name="Dispatch", role=Role.ADMIN),
        road=road,
    )


def warranty_of(number: int, registered: datetime) -> tuple[datetime, date]:
    """When the appliance of a number was installed, and the last day of its warranty: some have ended."""
    installed = registered - _BOUGHT + timedelta(days=number * 7 % 900)
    return installed, (installed + _WARRANTY_YEARS).date()


def first_fault(fleet: Fleet) -> Fault:
    """The fault that has been developing longest at the start, so that its alert comes early; not one of a scene."""
    people = fleet.scenario.people
    found = next((fault for fault in fleet.truth() if people.shows(fault.device) is None), None)
    if found is None:
        raise LookupError(f"scenario {fleet.scenario.id} has no part-worn appliance")
    return found
