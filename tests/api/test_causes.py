"""What appliances have in common, by real HTTP: the Pareto of causes, fleet faults, the ticket, and `/v1`."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta

import httpx
import pytest

from servicedesk.fleet_rows import FleetFinding, Shared, Trait
from servicedesk.shared_trait import SHARES
from storage.desk import PgDesk
from storage.pool import Connection, connect
from storage.registry import register_device
from storage.telemetry_rows import Batch, FirmwareSpell
from storage.telemetry_store import TelemetryStore
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.identity import DeviceKey
from tests.api.case import DAY, NOW, ORG, Seeded

# A version is what a device says of itself: here something that neither a page nor a spreadsheet may take at its word.
VERSION = "=1+2<b>"
SHARED = Shared(what=Trait.LOT, name="2025-32", members=5, members_having=5, others=35, others_having=5, chance=0.00038)


@pytest.fixture
def furnished(database_url: str, seeded: Seeded) -> Seeded:
    """The case is repaired; its fridge has a lot and was updated after its trouble began; another one has nothing."""
    with connect(database_url, application="test") as conn:
        key = seeded.device.key
        register_device(conn, key, "refrigerator", registered=NOW, lot="2025-32")
        register_device(conn, DeviceKey(ORG, "fridge-2"), "refrigerator", registered=NOW - 365 * DAY, lot="2025-31")
        spells = [(NOW - 300 * DAY, VERSION), (NOW - DAY, "2.5.0")]
        TelemetryStore(conn, load_catalogue()).write(
            Batch(
                firmware={
                    seeded.device.no: tuple(
                        FirmwareSpell(seeded.device.no, 1, seq, to_micros(at), version)
                        for seq, (at, version) in enumerate(spells, 1)
                    )
                }
            )
        )
        conn.execute("update visit set state = 'done', finished = %s where id = %s", (NOW, seeded.visit))
        conn.execute(
            "insert into outcome (visit, code, cause, at, actor) values (%s, 'repaired', %s, %s, 'x')",
            (seeded.visit, "condenser_fan_wear", NOW - timedelta(minutes=1)),
        )
        _fleet(conn, seeded)
    return seeded


def _fleet(conn: Connection, seeded: Seeded) -> None:
    desk = PgDesk(conn, "")
    found = FleetFinding(
        id=uuid.uuid4(),
        org=ORG,
        kind="refrigerator",
        family="condenser_airflow",
        opened=NOW - DAY,
        devices=40,
        expected=0.2,
    )
    desk.fleet.enter(found)
    desk.fleet.join(found.id, uuid.UUID(seeded.finding.id), seeded.device.no, NOW)
    desk.fleet.share(found.id, SHARED, NOW)
    body = {"what": "lot", "name": "2025-32", "members": 5, "members_having": 5, "others": 35, "others_having": 5}
    conn.execute(
        "insert into ticket_event (ticket, at, kind, actor, body) values (%s, %s, %s, 'system', jsonb_build_object("
        "'what', %s::text, 'name', %s::text, 'members', %s::int, 'members_having', %s::int, 'others', %s::int, "
        "'others_having', %s::int, 'chance', 0.00038))",
        (seeded.ticket, NOW, SHARES, *body.values()),
    )


def test_pages_and_v1_tell_the_same(http: httpx.Client, furnished: Seeded) -> None:
    staff = {"login": "ana", "password": furnished.staff}
    assert http.post("/login", data=staff).status_code == 303
    page = http.get("/reports?period=all&causes=lot").text
    assert "2025-32" in page
    assert 'class="p-upto"' in page
    page = http.get("/reports?period=all&causes=firmware").text
    assert "=1+2&lt;b&gt;" in page
    assert "<b>" not in page.split('id="cs"')[1].split("</svg>")[0].split("<svg", 1)[1]
    (line,) = csv.DictReader(io.StringIO(http.get("/reports/causes.csv?period=all&by=firmware").text.lstrip("\ufeff")))
    assert (line["group"], line["cause"], line["count"]) == (f"'{VERSION}", "condenser_fan_wear", "1")
    ticket = http.get(f"/tickets/{furnished.ref}").text
    assert "lot 2025-32" in ticket
    assert "firmware =1+2&lt;b&gt;" in ticket
    assert "5 of 5 are of lot 2025-32; of the 35 others 5 are" in ticket
    faults = http.get("/faults?by=lot").text
    assert "5 of 5 are of lot 2025-32; of the 35 others 5 are" in faults
    lab = http.get(f"/lab/{ORG}/fridge-1").text
    assert "2.5.0, since" in lab
    assert "2025-32" in lab

    asked = {"Authorization": f"Bearer {furnished.tokens['admin']}"}
    report = http.get("/v1/reports/causes?by=lot", headers=asked).json()
    (item,) = report["items"]
    assert (report["by"], item["group"], item["cause"], item["count"]) == ("lot", "2025-32", "condenser_fan_wear", 1)
    assert item["rate"] == pytest.approx(1 / item["device_years"])
    assert item["interval"][0] < item["rate"] < item["interval"][1]
    assert http.get("/v1/reports/causes?by=lot&kind=freezer", headers=asked).json()["items"] == []
    assert http.get("/v1/reports/causes?by=weather", headers=asked).status_code == 422
    device = http.get(f"/v1/devices/{ORG}/fridge-1", headers=asked).json()
    assert (device["lot"], device["firmware"]) == ("2025-32", "2.5.0")
    ticket = http.get(f"/v1/tickets/{furnished.ticket}", headers=asked).json()
    assert (ticket["lot"], ticket["firmware"]) == ("2025-32", VERSION)
    faults = http.get("/v1/fleet-faults", headers=asked).json()
    (together,) = faults["together"]
    assert (together["shared"]["what"], together["shared"]["name"]) == ("lot", "2025-32")
    assert {(each["by"], each["name"]) for each in faults["items"]} >= {("lot", "2025-32"), ("firmware", "2.5.0")}
