"""`wellkept report causes` on a real database: lots as registered, firmware as it was at the onset."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from servicedesk.cause_report import InService, Traits
from stack.cli import app
from storage.clock_store import write_clock
from storage.read_causes import read_causes
from storage.read_desk import get_ticket_by_ref
from storage.read_devices import get_device
from storage.read_models import EVERYTHING, Scope
from storage.registry import register_device
from storage.telemetry_rows import Batch, FirmwareSpell
from storage.telemetry_store import TelemetryStore
from telemetry.clock import FleetClock, to_micros
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from tests.servicedesk.world import CATALOGUE, KEY, START
from tests.worker_desk.shop import Shop
from tests.worker_desk.test_report import repaired

DAY = timedelta(days=1)


def told(shop: Shop, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["report", "causes", *arguments], env={"WELLKEPT_DATABASE_URL": shop.url})
    assert done.exit_code == 0, done.output
    return done.stdout


def update(shop: Shop, *versions: tuple[float, str]) -> None:
    """What the shop's device said of its firmware: days after the start, and version."""
    spells = tuple(
        FirmwareSpell(shop.device.no, 1, seq, to_micros(START + day * DAY), version)
        for seq, (day, version) in enumerate(versions, 1)
    )
    TelemetryStore(shop.conn, CATALOGUE).write(Batch(firmware={shop.device.no: spells}))
    shop.conn.commit()


def furnished(shop: Shop) -> None:
    """A repaired fridge of one lot, updated after its trouble began, beside one of another lot; forty days on."""
    register_device(shop.conn, KEY, "refrigerator", registered=START, lot="2025-32")
    register_device(
        shop.conn, DeviceKey("demo", "fridge-2"), "refrigerator", registered=START - 10 * DAY, lot="2025-31"
    )
    update(shop, (0, "2.4.1"), (30, "2.5.0"))
    repaired(shop)
    write_clock(shop.conn, FleetClock(1, 0, to_micros(START + 40 * DAY), 0.0))
    shop.conn.commit()


def test_a_cause_counts_for_the_lot_and_for_the_firmware_at_its_onset(shop: Shop) -> None:
    furnished(shop)
    (row,) = json.loads(told(shop, "--by", "lot", "--json"))
    assert (row["lot"], row["cause"], row["count"], row["cumulated"]) == ("2025-32", "condenser_fan_wear", 1, 1.0)
    assert row["device_years"] == pytest.approx(40 / 365.25, abs=1e-3)
    assert row["rate_low"] < row["rate"] == pytest.approx(365.25 / 40, rel=1e-2)
    assert row["chance"] == pytest.approx(40 / 90, abs=1e-4)
    (line,) = csv.DictReader(io.StringIO(told(shop, "--by", "firmware", "--csv")))
    assert (line["firmware"], line["device_years"]) == ("2.4.1", str(round(30 / 365.25, 3)))
    assert "2.4.1" in told(shop, "--by", "firmware")
    assert json.loads(told(shop, "--kind", "freezer", "--json")) == []
    assert json.loads(told(shop, "--since", "2027-01-01", "--json")) == []


def test_service_is_counted_within_the_period_and_until_an_appliance_is_taken_out(shop: Shop) -> None:
    furnished(shop)
    shop.conn.execute("update device set removed = %s where device = 'fridge-2'", (START + 5 * DAY,))
    _, service = read_causes(shop.conn, Scope(org="demo"), START - 2 * DAY, START + 33 * DAY, START + 40 * DAY)
    own = Traits(kind="refrigerator", model="", firmware="2.4.1", lot="2025-32")
    assert service == [
        InService(Traits(kind="refrigerator", model="", firmware="", lot="2025-31"), 7.0),
        InService(own, 30.0),
        InService(Traits(kind="refrigerator", model="", firmware="2.5.0", lot="2025-32"), 3.0),
    ]


def test_who_does_not_agree_is_counted_on_neither_side_and_strangers_see_nothing(shop: Shop) -> None:
    furnished(shop)
    until = START + 40 * DAY
    for scope in (Scope(org="elsewhere"), Scope(household=shop.household)):
        assert read_causes(shop.conn, scope, None, None, until) == ([], [])
    shop.conn.execute("update household set consent_analytics = false")
    cases, service = read_causes(shop.conn, EVERYTHING, None, None, until)
    assert cases == []
    assert [each.traits.lot for each in service] == ["2025-31"]


def test_ticket_and_device_name_them(shop: Shop) -> None:
    furnished(shop)
    (ref,) = shop.conn.execute("select ref from ticket").fetchone() or ()
    ticket = get_ticket_by_ref(shop.conn, EVERYTHING, str(ref))
    assert ticket is not None
    # The ticket tells of the time when the trouble began, the device of today.
    assert (ticket.lot, ticket.firmware) == ("2025-32", "2.4.1")
    device = get_device(shop.conn, EVERYTHING, *KEY)
    assert device is not None
    assert (device.lot, device.firmware, device.firmware_since) == ("2025-32", "2.5.0", START + 30 * DAY)


def test_a_known_lot_stays_and_no_lot_is_nonsense(shop: Shop) -> None:
    assert register_device(shop.conn, KEY, "refrigerator", registered=START, lot="A").lot == "A"
    assert register_device(shop.conn, KEY, "refrigerator", registered=START, lot="B").lot == "A"
    assert register_device(shop.conn, KEY, "refrigerator", registered=START).lot == "A"
    with pytest.raises(WireError, match="lot"):
        register_device(shop.conn, KEY, "refrigerator", registered=START, lot="")


def test_an_unknown_group_is_said() -> None:
    done = CliRunner().invoke(app, ["report", "causes", "--by", "weather"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "firmware" in done.output
