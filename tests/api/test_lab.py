"""Engineers' pages and routes over the seeded case: who sees what, each state, files, what is asked of the bench."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.lab_signals import LEAST, MOST, Stretch, gaps_of, stretch_of
from api.lab_way import missing
from api.settings import Settings
from servicedesk.rates import rate_of
from storage.access import Role, create_staff
from storage.lab_store import Asked, ask_run, fail_run, finish_run, keep_clock, open_run, read_wish, take_run
from storage.pool import Connection, connect
from storage.read_envelopes import step_of
from storage.read_lab import Epoch
from telemetry.clock import to_datetime
from tests.api.case import NOW, ORG, WALL, Seeded
from tests.api.fleet import DEVICE, Answers, answering
from tests.api.lab_case import MINUTE, decision_result, readings, trace_result

PAGE = f"/lab/{DEVICE}"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Answers]:
    with answering(tmp_path) as answers:
        yield answers


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[FastAPI]:
    made = create_app(Settings(database_url=database_url, pool_size=4, sim_folder=tmp_path), wall=lambda: WALL)
    yield made
    made.state.context.pool.close()


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with connect(database_url, application="test", autocommit=True) as opened:
        yield opened


def log_in(http: httpx.Client, login: str, password: str) -> None:
    assert http.post("/login", data={"login": login, "password": password}).status_code == 303


@pytest.fixture
def ana(http: httpx.Client, seeded: Seeded) -> httpx.Client:
    log_in(http, "ana", seeded.staff)
    return http


def csrf_of(page: str) -> str:
    return page.split('name="csrf" value="', 1)[1].split('"', 1)[0]


def token(seeded: Seeded, role: str = "engineer") -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


def one_plate(page: str) -> bool:
    return page.count('class="plate') == page.count("btn-primary") == 1


def test_the_list_finds_devices_and_has_pages(ana: httpx.Client, conn: Connection) -> None:
    for query, found in (
        ("", True),
        ("q=004217", True),
        ("q=lx26", True),
        ("q=Refrigerat", True),
        ("q=冰箱", True),
        ("q=fridge-1&kind=refrigerator", True),
        ("q=50%25", False),
        ("kind=pump", False),
        ("health=ok", False),
        ("q=%3Cscript%3E", False),
    ):
        page = ana.get(f"/lab?{query}")
        assert page.status_code == 200
        assert one_plate(page.text)
        assert (f'href="{PAGE}"' in page.text) == found, query
        assert "<script>" not in page.text.replace("<script src", "")
    assert "No device matches" in ana.get("/lab?q=nothing").text
    assert ana.get("/lab?page=9999").status_code == 200
    conn.execute(
        "insert into device (org, device, kind, registered) select 'demo', 'pump-' || n, 'pump', %s"
        " from generate_series(1, 120) n",
        (NOW,),
    )
    first = ana.get("/lab?kind=pump").text
    assert "1–50 of 120" in first
    assert 'rel="next"' in first
    last = ana.get("/lab?kind=pump&page=3").text
    assert "101–120 of 120" in last
    assert 'rel="next"' not in last
    assert 'rel="prev"' in last


def test_a_device_says_what_came_of_it(ana: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    quiet = ana.get(PAGE).text
    assert "no reading of it has come yet" in quiet
    assert one_plate(quiet)
    readings(conn, seeded, hole=range(200, 290))
    page = ana.get(PAGE).text
    assert one_plate(page)
    assert page.count('data-channel="') == 7
    assert 'class="c-gap"' in page.split('data-channel="power"')[1].split("</svg>")[0]
    assert page.split('data-channel="power"')[1].split("</svg>")[0].count('class="c-cycle"') >= 7
    assert "Missing in epoch 1: 591–594" in page
    assert "not &lt;b&gt;JSON&lt;/b&gt;" in page
    assert "condenser" not in page.split('id="fi"')[0] or "Condenser" in page
    assert ana.get(f"/lab/{ORG}/nothing").status_code == 404
    for name in ("1h", "7d", "90d", "nonsense"):
        assert ana.get(f"{PAGE}?range={name}").status_code == 200
    zh = ana.get(f"{PAGE}?lang=zh").text
    assert "通道" in zh
    assert "死信" in zh


def test_the_bench_is_asked_once(ana: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    form = {"csrf": csrf_of(ana.get(PAGE).text)}
    assert ana.post(f"{PAGE}/trace", data={"csrf": "wrong"}).status_code == 403
    for _ in range(2):
        assert ana.post(f"{PAGE}/trace", data=form).status_code == 303
    asked = Asked("trace", seeded.device.no)
    going = open_run(conn, asked)
    assert going is not None
    assert (going.state, going.asked_by) == ("waiting", "staff:ana")
    assert "Waiting for a worker" in ana.get(PAGE).text
    wall = to_datetime(WALL)
    assert take_run(conn, wall) == going.id
    assert take_run(conn, wall) is None
    assert "A worker is at it" in ana.get(PAGE).text
    # A worker that fell silent loses it; in the end it is given up.
    assert take_run(conn, wall + timedelta(minutes=1)) == going.id
    fail_run(conn, going.id, "the disk <is> full", NOW)
    assert "the disk &lt;is&gt; full" in ana.get(PAGE).text
    again = ana.post(f"/v1/devices/{DEVICE}/trace", headers=token(seeded))
    assert (again.status_code, again.json()["state"]) == (201, "waiting")
    taken = take_run(conn, wall)
    assert taken is not None
    finish_run(conn, taken, trace_result(), NOW)
    page = ana.get(PAGE).text
    assert one_plate(page)
    assert "opens at 14.0" in page
    assert "far-2" in page
    assert ana.get(f"/v1/devices/{DEVICE}/trace", headers=token(seeded)).json()["result"]["messages"] == 12
    # Runs of long ago go with the next one that is asked for.
    old = ask_run(conn, uuid4(), asked, by="x", now=NOW - timedelta(days=40))
    assert take_run(conn, wall) == old
    fail_run(conn, old, "no", NOW - timedelta(days=40))
    ask_run(conn, uuid4(), asked, by="x", now=NOW)
    assert conn.execute("select count(*) from lab_run where id = %s", (old,)).fetchone() == (0,)


def test_a_decision_is_asked_for_and_shown(ana: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    path = f"/lab/tickets/{seeded.ref}"
    first = ana.get(path).text
    assert one_plate(first)
    assert "to the last bit" in first
    assert ana.post(f"{path}/replay", data={"csrf": csrf_of(first)}).status_code == 303
    going = take_run(conn, to_datetime(WALL))
    assert going is not None
    decided = decision_result(seeded)
    finish_run(conn, going, decided, NOW)
    page = ana.get(path).text
    assert one_plate(page)
    assert "It differs" in page
    assert "revision 0" in page
    assert "71%" in page
    assert "812.50" in page
    by_finding = ana.get(f"/lab/tickets/{seeded.finding.id}").text
    assert "It differs" in by_finding
    shown = ana.get(f"/v1/findings/{seeded.finding.id}/replay", headers=token(seeded)).json()
    assert shown["run"]["state"] == "done"
    assert shown["result"]["equal"] is False
    assert ana.get("/lab/tickets/WK-99999").status_code == 404


def test_the_scoreboard_has_rates(ana: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    assert "No verdict yet" in ana.get("/lab/scoreboard").text
    conn.execute(
        "insert into verdict (id, org, detector, version, kind, model, family, device, ticket, finding, told,"
        " confirmed, truth, hit, at) values (gen_random_uuid(), 'demo', 'cycles', '1', 'refrigerator', 'lx260',"
        " 'condenser_airflow', %s, %s, %s, null, null, 'false', false, %s)",
        (seeded.device.no, seeded.ticket, seeded.finding.id, NOW),
    )
    conn.execute(
        "insert into device_observed (device, epoch, seq, last_t) values (%s, 1, 1, %s)"
        " on conflict (device) do update set last_t = excluded.last_t",
        (seeded.device.no, NOW),
    )
    page = ana.get("/lab/scoreboard").text
    assert one_plate(page)
    assert "0 of 1" in page
    assert "0.91 (0.02–5.09)" in page
    (score,) = ana.get("/v1/scoreboard", headers=token(seeded)).json()["scores"]
    assert score["false_per_device_year"]["rate"] == pytest.approx(365.25 / 400, rel=1e-3)
    assert "None of these" in ana.get("/lab/scoreboard?standing=suggests").text


def test_a_simulator_is_steered(ana: httpx.Client, conn: Connection, fleet: Answers) -> None:
    start = ana.get("/lab/simulator").text
    assert one_plate(start)
    assert "as good as new" in start
    form = {"csrf": csrf_of(start), "device": "fridge-1"}
    chosen = ana.get("/lab/simulator?device=fridge-1").text
    assert one_plate(chosen)
    assert 'value="condenser_fan_wear"' in chosen
    begun = ana.post("/lab/simulator/faults", data={**form, "fault": "condenser_fan_wear", "lead_days": "2.5"})
    assert (begun.status_code, fleet.faults) == (303, {"condenser_fan_wear": 2.5})
    shown = ana.get(begun.headers["location"]).text
    assert "The fault has begun" in shown
    assert "25%" in shown
    wrong = ana.post("/lab/simulator/faults", data={**form, "fault": "condenser_fan_ware"})
    assert wrong.status_code == 422
    assert "condenser_fan_wear" in wrong.text
    assert ana.post("/lab/simulator/network", data={**form, "loss": "much"}).status_code == 422
    assert ana.post("/lab/simulator/network", data={**form, "loss": "0.2"}).status_code == 303
    assert fleet.link["loss"] == 0.2
    assert ana.post("/lab/simulator/network", data={"csrf": form["csrf"], "reset": "yes"}).status_code == 303
    assert fleet.link["loss"] == 0.0
    assert ana.post("/lab/simulator/reboots", data={**form, "fw": "3.0.0"}).status_code == 303
    assert fleet.fw == "3.0.0"
    assert "<dt>Firmware in the simulator</dt><dd>3.0.0</dd>" in ana.get(PAGE).text
    assert ana.post("/lab/simulator/clearings", data=form).status_code == 303
    assert fleet.faults == {}
    # The clock has nobody who paces it, then somebody.
    assert ana.post("/lab/simulator/clock", data={"csrf": form["csrf"], "speed": "60"}).status_code == 409
    keep_clock(conn, to_datetime(WALL), 7_200.0)
    assert ana.post("/lab/simulator/clock", data={"csrf": form["csrf"], "step_hours": "6"}).status_code == 303
    asked = read_wish(conn)
    assert asked is not None
    assert (asked.ceiling, asked.until) == (7_200.0, NOW + timedelta(hours=6))
    assert ana.post("/lab/simulator/clock", data={"csrf": form["csrf"], "speed": "0"}).status_code == 303
    assert 'aria-pressed="true"' not in ana.get("/lab/simulator").text


def test_without_a_fleet_it_says_how_to_start_one(ana: httpx.Client, seeded: Seeded) -> None:
    page = ana.get("/lab/simulator").text
    assert one_plate(page)
    assert "wellkept demo" in page
    found = ana.get("/v1/simulator", headers=token(seeded)).json()
    assert found["running"] is False
    refused = ana.post(f"/v1/simulator/{DEVICE}/faults", json={"fault": "x"}, headers=token(seeded))
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("no-fleet")
    assert ana.get(f"/v1/simulator/{ORG}/other", headers=token(seeded)).status_code == 404


@pytest.mark.long
def test_who_may_look_and_who_may_steer(http: httpx.Client, conn: Connection) -> None:
    for role, looks, steers in (
        (Role.ENGINEER, True, True),
        (Role.READ_ONLY, True, False),
        (Role.DISPATCHER, False, False),
    ):
        http.cookies.clear()
        secret = create_staff(conn, f"b-{role}", now=to_datetime(WALL), name="Bo", role=role, lang="en")
        log_in(http, f"b-{role}", secret)
        page = http.get(PAGE)
        assert (page.status_code == 200) == looks
        assert ("Compute scores" in page.text) == steers
        asked = http.post(f"{PAGE}/trace", data={"csrf": csrf_of(page.text) if looks else ""})
        assert asked.status_code == (303 if steers else 403)

    # Who is narrowed to areas finds nothing of others.
    http.cookies.clear()
    secret = create_staff(conn, "south", now=to_datetime(WALL), name="So", role=Role.ENGINEER, lang="en")
    conn.execute("update staff_user set areas = '{South}' where login = 'south'")
    log_in(http, "south", secret)
    assert "No devices yet" in http.get("/lab").text
    assert http.get(PAGE).status_code == 404
    assert http.get(f"{PAGE}/readings.csv").status_code == 404


def test_v1_finds_devices_and_their_way(http: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    readings(conn, seeded)
    headers = token(seeded)

    def found(**query: str) -> list[str]:
        items = http.get("/v1/devices", params=query, headers=headers).json()["items"]
        return [each["device"] for each in items]

    assert found(q="4217") == found(kind="refrigerator") == found(health="faulty") == ["fridge-1"]
    assert found(q="nothing") == found(kind="pump") == found(health="ok") == []
    way = http.get(f"/v1/devices/{DEVICE}/way", headers=headers).json()
    assert way["epochs"] == [{"epoch": 1, "upto": 590, "waiting": 4}]
    assert way["dead_letters"] == 1
    (letter,) = http.get(f"/v1/devices/{DEVICE}/dead-letters", headers=headers).json()["items"]
    assert (letter["reason"], letter["bytes"]) == ("syntax", 1)
    signals = http.get(f"/v1/devices/{DEVICE}/signals", params={"steps": 10}, headers=headers).json()
    assert len(signals["t"]) <= 11
    assert sum(signals["n"]) == 600
    late = {"from": "2026-11-18T00:00:00Z", "to": "2026-11-17T00:00:00Z"}
    assert http.get(f"/v1/devices/{DEVICE}/signals", params=late, headers=headers).status_code == 422


def test_stretches_stay_within_what_can_be_shown() -> None:
    now = datetime(2026, 11, 18, tzinfo=NOW.tzinfo)
    assert stretch_of("7d", None, None, now).span == timedelta(days=7)
    assert stretch_of("", now, now - timedelta(days=1), now).span == timedelta(days=1)
    assert stretch_of("", now - timedelta(days=9_000), now, now).span == MOST
    assert stretch_of("", now - timedelta(seconds=1), now, now).span == LEAST
    one = Stretch(now - timedelta(hours=1), now)
    assert one.scaled(0.5).span == timedelta(minutes=30)
    assert one.moved(-1).end == one.start
    assert step_of(timedelta(days=90)) == timedelta(hours=6)
    at = [now, now + MINUTE, now + 30 * MINUTE]
    found = gaps_of(at, MINUTE, 3 * MINUTE, timedelta(), now + 90 * MINUTE)
    assert [(gap.start, gap.end) for gap in found] == [
        (now + 2 * MINUTE, now + 30 * MINUTE),
        (now + 31 * MINUTE, now + 90 * MINUTE),
    ]


def test_what_is_missing_below_what_came() -> None:
    assert missing(Epoch(1, 10, "{}")) == []
    assert missing(Epoch(1, 10, "{[13,15),[20,21)}")) == [(11, 12), (15, 19)]
    assert missing(Epoch(1, 0, "{[1,2)}")) == []


def test_rates_have_the_exact_interval() -> None:
    none = rate_of(0, 10.0)
    assert none is not None
    assert none.low == 0.0
    assert none.high == pytest.approx(0.36889, abs=1e-4)
    five = rate_of(5, 1.0)
    assert five is not None
    assert five.low == pytest.approx(1.6235, abs=1e-3)
    assert five.high == pytest.approx(11.668, abs=1e-3)
    many = rate_of(2_000, 1.0)
    assert many is not None
    assert many.low == pytest.approx(1913.3, abs=0.5)
    assert rate_of(3, 0.0) is None


def test_signals_are_numbers_and_files(ana: httpx.Client, conn: Connection, seeded: Seeded) -> None:
    readings(conn, seeded, hole=range(200, 290))
    found = ana.get(f"{PAGE}/signals?range=1d").json()
    power = next(each for each in found["channels"] if each["id"] == "power")
    assert len(found["t"]) == len(power["columns"][2])
    assert len(found["gaps"]) == 1
    hole = found["t"].index(next(t for t in found["t"] if t > found["gaps"][0][0]))
    assert power["columns"][2][hole] is None
    assert {round(v) for v in power["columns"][2] if v is not None} >= {2, 100}
    start = (NOW - timedelta(minutes=20)).isoformat().replace("+00:00", "Z")
    closer = ana.get(f"{PAGE}/signals", params={"from": start, "to": NOW.isoformat().replace("+00:00", "Z")}).json()
    assert closer["end"] - closer["start"] == 1_200
    assert len(closer["t"]) == 20
    # The readings themselves leave as files.
    answer = ana.get(f"{PAGE}/readings.csv?range=1d")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 510
    assert {row["power"] for row in rows} == {"100.5", "2"}
    assert rows[0]["ambient"] == ""
    table = pq.read_table(io.BytesIO(ana.get(f"{PAGE}/readings.parquet?range=1d").content))
    assert table.num_rows == 510
    assert table.column("power").to_pylist()[:1] == [100.5]
    whole = ana.get(f"/v1/devices/{DEVICE}/export", params={"format": "parquet"}, headers=token(seeded))
    assert pq.read_table(io.BytesIO(whole.content)).num_rows == 510
    assert ana.get(f"{PAGE}/readings.xls").status_code in (404, 422)
