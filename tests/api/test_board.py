"""The board over `/v1`: a day with its tray, places weighed before and refused by name, undo, locks, odd requests."""

from __future__ import annotations

import httpx
import pytest

from storage.pool import connect
from tests.api.board_case import busy
from tests.api.case import Seeded
from tests.api.test_v1 import bearer
from tests.api.walk import is_problem


def test_a_day_is_planned_over_the_api(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        (waiting,), _ = busy(conn, seeded, planned=1, confirmed=1, waiting=1)
    desk = bearer(seeded, "dispatcher")
    day = http.get("/v1/board", params={"date": "2026-11-20"}, headers=desk).json()
    people = {each["name"]: each["technician"] for each in day["technicians"]}
    assert day["zone"] == "Asia/Shanghai"
    assert (day["unassigned"]["count"], day["hold"]["count"]) == (1, 0)
    assert day["unassigned"]["items"][0]["ticket"] == str(waiting)

    path = f"/v1/tickets/{waiting}/assignment"
    noon = {"technician": people["Jonas Weber"], "start": "2026-11-20T04:00:00Z"}
    wrong = {**noon, "technician": people["李强"]}
    weighed = http.get(path, params=wrong, headers=bearer(seeded, "read_only")).json()
    assert [(each["rule"], each["hard"], each["skill"]) for each in weighed["breaches"]] == [("skill", True, "cooling")]
    assert weighed["visit"] is None
    refused = is_problem(http.post(path, json=wrong, headers=desk), 409, "rule-forbids")
    assert refused["breaches"] == [{"rule": "skill", "hard": True}]
    soon = {"technician": people["Jonas Weber"], "start": "2026-11-18T04:00:00Z"}
    unsaid = is_problem(http.post(path, json=soon, headers=desk), 422, "needs-reason")
    assert {"rule": "notice", "hard": False} in unsaid["breaches"]

    made = http.post(path, json=noon, headers=desk).json()
    assert (made["state"], made["move"], made["slot"]["name"]) == ("proposed", "open", "Jonas Weber")
    assert http.get(path, headers=desk).json() == made
    is_problem(http.post(path, json=noon, headers=desk), 409, "conflict")
    stale = {"technician": people["Jonas Weber"], "start": "2026-11-20T06:00:00Z", "version": made["version"] - 1}
    is_problem(http.post(f"/v1/visits/{made['visit']}/assignment", json=stale, headers=desk), 409, "conflict")
    shown = http.get("/v1/board", params={"date": "2026-11-20"}, headers=desk).json()
    (block,) = (b for each in shown["technicians"] for b in each["visits"] if b["ticket"] == str(waiting))
    assert block["window"]["start"] == noon["start"]
    assert block["breaches"] == []

    undone = http.post(f"/v1/visits/{made['visit']}/undo", json={}, headers=desk).json()
    assert (undone["visit"], undone["move"]) == (None, "undone")
    again = http.post(path, json=noon, headers=desk).json()
    locked = http.post(f"/v1/visits/{again['visit']}/lock", json={"locked": True}, headers=desk).json()
    assert locked["locked"] is True
    two = {"technician": people["Jonas Weber"], "start": "2026-11-20T06:00:00Z"}
    held = is_problem(http.post(f"/v1/visits/{again['visit']}/assignment", json=two, headers=desk), 409, "rule-forbids")
    assert held["breaches"] == [{"rule": "locked", "hard": True}]
    is_problem(http.post(f"/v1/visits/{again['visit']}/undo", json={}, headers=desk), 409, "conflict")
    is_problem(http.post(path, json=noon, headers=bearer(seeded, "read_only")), 403, "forbidden")
    is_problem(http.get("/v1/board", headers=bearer(seeded, "owner")), 403, "forbidden")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_that_nobody_plans(http: httpx.Client, seeded: Seeded, day: str) -> None:
    desk = bearer(seeded, "admin")
    is_problem(http.get("/v1/board", params={"date": day}, headers=desk), 422, "invalid")
    path, start = f"/v1/tickets/{seeded.ticket}/assignment", f"{day}T23:00:00Z"
    board = http.get("/v1/board", headers=desk).json()
    place = {"technician": board["technicians"][0]["technician"], "start": start}
    assert [each["rule"] for each in http.get(path, params=place, headers=desk).json()["breaches"]] == ["window"]
    is_problem(http.post(path, json=place, headers=desk), 409, "rule-forbids")
