"""Planning over the API: plans by line, three suggestions, a held window, and the list for who comes too late."""

from __future__ import annotations

from datetime import datetime

import httpx

from tests.api.case import ORG, Seeded
from tests.api.test_v1 import bearer


def test_planning_over_the_api(http: httpx.Client, seeded: Seeded) -> None:
    desk = bearer(seeded, "dispatcher")
    made = http.post("/v1/plans", json={"org": ORG, "days": 7}, headers=desk)
    assert made.status_code == 201, made.text
    plan = made.json()
    (line,) = plan["lines"]
    assert (line["ticket"], line["ref"], line["visit"]) == (str(seeded.ticket), seeded.ref, str(seeded.visit))
    assert (plan["served"], plan["of"], line["change"], line["state"]) == (1, 1, "same", "open")
    assert line["before"] == line["after"]
    assert line["before"]["name"]
    refused = http.post(f"/v1/plans/{plan['id']}/lines/1/refuse", headers=desk).json()
    assert refused["lines"][0]["state"] == "refused"
    accepted = http.post(f"/v1/plans/{plan['id']}/accept", json={"lines": [1]}, headers=desk).json()
    assert accepted["lines"][0]["state"] == "accepted"
    assert http.get(f"/v1/plans/{plan['id']}", headers=bearer(seeded, "read_only")).json() == accepted
    assert http.post(f"/v1/plans/{plan['id']}/lines/2/accept", headers=desk).status_code == 404
    nobody = http.post("/v1/plans", json={"days": 7}, headers=desk)
    assert nobody.status_code == 422
    assert http.post("/v1/plans", json={}, headers=bearer(seeded, "foreign")).json()["lines"] == []
    assert http.post("/v1/plans", json={"org": ORG}, headers=bearer(seeded, "foreign")).status_code == 404
    assert http.post("/v1/plans", json={"org": ORG}, headers=bearer(seeded, "technician")).status_code == 403

    found = http.get(f"/v1/tickets/{seeded.ticket}/suggestions", headers=desk).json()
    assert len(found["best"]) == 3
    assert found["best"][0]["parts"] == {"RF-FAN-120": "depot"}
    assert found["best"][0]["life_left_h"] > 0

    again = http.post("/v1/plans", json={"org": ORG}, headers=desk).json()

    owner, visit = bearer(seeded, "owner"), f"/v1/visits/{seeded.visit}"
    start = http.get(f"{visit}/windows", headers=owner).json()["best"][0]["start"]
    held = http.post(f"{visit}/holds", json={"start": start}, headers=owner)
    assert held.status_code == 201, held.text
    assert held.json()["start"] == start
    late = http.post(f"{visit}/windows", json={"start": "2026-01-01T00:00:00Z"}, headers=owner)
    assert late.status_code == 409
    problem = late.json()
    assert problem["type"].endswith("window-gone")
    assert start in [each["start"] for each in problem["windows"]]
    assert all(datetime.fromisoformat(each["end"]) for each in problem["windows"])
    taken = http.post(f"{visit}/windows", json={"start": start}, headers=owner).json()
    assert (taken["state"], taken["window"]["start"]) == ("confirmed", start)
    outdated = http.get(f"/v1/plans/{again['id']}", headers=desk).json()["lines"][0]
    assert outdated["state"] == "outdated"
    late = http.post(f"/v1/plans/{again['id']}/lines/1/accept", headers=desk)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "conflict")
