"""Readings of the case's fridge, and what a worker found of it, as the engineers' pages show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page

from storage.lab_store import Asked, ask_run, finish_run, take_run
from storage.pool import Connection
from telemetry.clock import to_datetime, to_micros
from tests.api.case import NOW, ORG, WALL, Seeded

MINUTE = timedelta(minutes=1)


def log_in_page(page: Page, base_url: str, seeded: Seeded) -> None:
    """Sign Ana in."""
    page.goto(f"{base_url}/login")
    page.locator("input[name=login]").fill("ana")
    page.locator("input[name=password]").fill(seeded.staff)
    page.locator("form button").last.click()
    page.wait_for_url("**/dispatch")


def readings(conn: Connection, seeded: Seeded, minutes: int = 600, hole: range = range(0)) -> None:
    """A reading a minute until now: half an hour of cooling, half an hour of rest; nothing within the hole."""
    for i in range(minutes):
        if i in hole:
            continue
        at = NOW - (minutes - i) * MINUTE
        working = (i // 30) % 2 == 0
        conn.execute(
            "insert into reading_refrigerator (device, t, epoch, seq, sub, arrival, phase, power, temp_fridge)"
            " values (%s, %s, 1, %s, 0, %s, %s, %s, %s)",
            (seeded.device.no, at, i, at, "cooling" if working else "idle", 100.5 if working else 2.0, 4.0 + i % 3),
        )
    conn.execute("insert into device_progress (device, epoch, upto, beyond) values (%s, 1, 590, '{[595,600)}')", (1,))
    conn.execute(
        "insert into device_observed (device, epoch, seq, last_t, last_arrival, health, since)"
        " values (%s, 1, 590, %s, %s, 'faulty', %s) on conflict (device) do update set last_t = excluded.last_t",
        (seeded.device.no, NOW, NOW, NOW),
    )
    conn.execute(
        "insert into dead_letter (partition, stream_seq, position_in_block, incarnation, org, device, reason, detail,"
        " raw, arrival) values (0, 1, 0, 'x', %s, 'fridge-1', 'syntax', %s, '\\x00', %s)",
        (ORG, "not <b>JSON</b>", NOW),
    )


def trace_result() -> dict[str, Any]:
    """A trace as `worker.lab_run` makes it."""
    times = [to_micros(NOW - timedelta(hours=40 - i)) for i in range(40)]
    run = [1_400.0 + (900 if i > 30 else 0) for i in range(40)]
    return {
        "version": "abc",
        "messages": 12,
        "readings": 600,
        "first": times[0],
        "last": times[-1],
        "epochs": 1,
        "lost": 0,
        "controls": 0,
        "learned": {"cycles": 40, "of": 40},
        "t": times,
        "start": times,
        "seen": 40,
        "judged": 40,
        "features": {"run_time": {"value": run, "low": [1_200.0] * 40, "high": [1_600.0] * 40}},
        "scores": {
            "condenser_airflow": {
                "own": {"opens": 14.0, "ends": None, "rows": 1, "value": [float(i) / 2 for i in range(40)]},
                "level": {"opens": None, "ends": 1.5, "rows": 1, "value": [None] * 40},
            }
        },
        "opened": [],
    }


def decision_result(seeded: Seeded) -> dict[str, Any]:
    """A decision made again that differs."""
    decided = trace_result()
    kept = {key: decided.pop(key) for key in ("t", "start", "features", "scores", "seen")}
    decided |= {
        "trace": kept,
        "equal": False,
        "revisions": 1,
        "stored_versions": ["1"],
        "first_difference": {"revision": 0, "where": "score", "stored": 0.9995, "replayed": 0.9},
        "family": "condenser_airflow",
        "opened": seeded.finding.opened,
        "costs": {"expected_cost": 812.5, "visit_cost": 240.0},
        "decided": {
            "score": 0.9995,
            "onset": seeded.finding.onset,
            "onset_low": seeded.finding.onset_low,
            "onset_high": seeded.finding.onset_high,
            "causes": [{"fault": "condenser_fan_wear", "probability": 0.71, "reasons": [["fan_rpm", 968.0, 1250.0]]}],
            "rejected": [{"cause": "heat_wave", "feature": "ambient_mean", "value": 21.3, "expected": 29.0}],
        },
        "history": [],
    }
    return decided


def traced(conn: Connection, seeded: Seeded) -> None:
    """Both, as a worker leaves them."""
    results = {"trace": trace_result(), "decision": decision_result(seeded)}
    for what, subject in (("trace", ""), ("decision", seeded.ref)):
        ask_run(conn, uuid4(), Asked(what, seeded.device.no, subject), by="staff:ana", now=NOW)
        taken = take_run(conn, to_datetime(WALL))
        assert taken is not None
        finish_run(conn, taken, results[what], NOW)
