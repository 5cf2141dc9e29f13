"""Contact and service levels over the API: the same ticket whichever way, and who may do what."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from servicedesk.level_rows import Outage
from storage.desk import PgDesk
from storage.pool import connect
from tests.api.case import NOW, Seeded


def bearer(seeded: Seeded, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


def levels(http: httpx.Client, seeded: Seeded) -> dict[str, Any]:
    found: dict[str, Any] = http.get(f"/v1/tickets/{seeded.ticket}/levels", headers=bearer(seeded, "admin")).json()
    return found


def clock(http: httpx.Client, seeded: Seeded, policy: str) -> dict[str, Any]:
    (found,) = [each for each in levels(http, seeded)["clocks"] if each["policy"] == policy]
    assert isinstance(found, dict)
    return found


def said(answer: httpx.Response) -> list[str]:
    return [each["kind"] for each in answer.json()["timeline"]]


def test_service_levels_a_page_a_call_and_a_mail_reach_one_ticket(http: httpx.Client, seeded: Seeded) -> None:
    ticket = f"/v1/tickets/{seeded.ticket}"
    page = http.post(
        f"/o/{seeded.link}/message", data={"words": "Is it safe?"}, follow_redirects=False, headers={"Origin": "null"}
    )
    assert (page.status_code, page.headers["location"]) == (303, f"/o/{seeded.link}/visit?done=written")
    running = clock(http, seeded, "first_response")
    assert (running["state"], running["target_s"]) == ("running", 900.0)
    owner = bearer(seeded, "owner")
    assert "message" in said(http.post(f"{ticket}/messages", json={"words": "Hello?"}, headers=owner))
    raw = f"From: owner@example.org\nSubject: Re: {seeded.ref}\nMessage-ID: <1@home>\n\nAnybody?\n".encode()
    body = {"message": base64.b64encode(raw).decode()}
    taken = http.post("/v1/mails", json=body, headers=bearer(seeded, "admin")).json()
    assert taken == {"kind": "reply", "ticket": str(seeded.ticket), "repeated": False}
    assert http.post("/v1/mails", json=body, headers=bearer(seeded, "admin")).json()["repeated"]
    foreign = http.post("/v1/mails", json=body, headers=bearer(seeded, "foreign"))
    assert foreign.status_code == 404
    answered = http.post(f"{ticket}/messages", json={"words": "Yes, it is."}, headers=bearer(seeded, "dispatcher"))
    assert said(answered).count("message") == 3
    assert said(answered)[-2:] == ["answer", "notice"]
    assert clock(http, seeded, "first_response")["state"] == "met"


def test_five_minutes_a_complaint_is_a_call_and_is_measured(http: httpx.Client, seeded: Seeded) -> None:
    ticket, staff = f"/v1/tickets/{seeded.ticket}", bearer(seeded, "dispatcher")
    http.post(f"{ticket}/complaints", json={"words": "late"}, headers=bearer(seeded, "owner"))
    (task,) = http.get("/v1/calls", headers=staff).json()["items"]
    assert (task["reason"], task["tier"], task["state"]) == ("complaint", "standard", "open")
    assert task["due"] == f"{NOW + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    waiting = http.get("/v1/reports/first-contact", headers=staff).json()
    assert waiting["tasks"] == 0  # it opened at this very moment, which the span does not include
    until = {"to": f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert http.get("/v1/reports/first-contact", params=until, headers=staff).json()["waiting"] == 1
    http.post(f"{ticket}/calls", json={"outcome": "no_answer"}, headers=staff)
    assert len(http.get("/v1/calls", headers=staff).json()["items"]) == 1
    http.post(f"{ticket}/calls", json={"outcome": "reached", "words": "sorry"}, headers=staff)
    assert http.get("/v1/calls", headers=staff).json()["items"] == []
    report = http.get("/v1/reports/first-contact", params=until, headers=staff).json()
    assert (report["contacted"], report["within_five_minutes"], report["p95_s"]) == (1, 1, 0.0)


def test_owners_and_technicians_see_no_work_of_the_desk(http: httpx.Client, seeded: Seeded) -> None:
    for role in ("owner", "technician", "people", "read_only", "engineer"):
        for path in ("/v1/calls", "/v1/warnings", "/v1/silences", "/v1/oncall", "/v1/mails/unmatched"):
            assert http.get(path, headers=bearer(seeded, role)).status_code == 403, (role, path)
    shown = http.get(f"/v1/tickets/{seeded.ticket}/levels", headers=bearer(seeded, "owner"))
    assert shown.status_code == 200
    assert shown.json()["compensations"] == []
    other = http.get(f"/v1/tickets/{seeded.ticket}/levels", headers=bearer(seeded, "foreign"))
    assert other.status_code == 404


def test_a_silence_needs_an_end_and_shows_what_it_kept_back(http: httpx.Client, seeded: Seeded) -> None:
    staff = bearer(seeded, "dispatcher")
    for wrong in (
        {"kind": "snooze", "reason": "x", "org": "demo"},
        {"kind": "snooze", "reason": "x", "org": "demo", "until": "2020-01-01T00:00:00Z"},
        {"kind": "mute", "reason": "x"},
    ):
        assert http.post("/v1/silences", json=wrong, headers=staff).status_code == 422, wrong
    mute = {"kind": "mute", "reason": "on the phone with them", "ticket": str(seeded.ticket)}
    made = http.post("/v1/silences", json=mute, headers=staff)
    assert (made.status_code, made.json()["org"]) == (201, "demo")
    http.post(f"/v1/tickets/{seeded.ticket}/messages", json={"words": "we come"}, headers=staff)
    (shown,) = http.get("/v1/silences", headers=staff).json()["items"]
    assert [(each["stage"], each["until"]) for each in shown["suppressed"]] == [("answer", None)]
    ended = http.post("/v1/silences/end", json={"silence": shown["id"]}, headers=staff)
    assert ended.json() == {"items": []}


def test_a_channels_address_is_never_told(http: httpx.Client, seeded: Seeded) -> None:
    staff = bearer(seeded, "dispatcher")
    address = "ntfy://ntfy.sh/very-secret-topic"
    made = http.post(f"/v1/households/{seeded.household}/channels", json={"url": address}, headers=staff)
    assert made.json()["service"] == "ntfy"
    person = {
        "org": "demo",
        "step": 1,
        "name": "Ana",
        "address": address,
        "start": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        "until": "2026-12-30T00:00:00Z",
    }
    oncall = http.post("/v1/oncall", json=person, headers=staff)
    shown = http.get("/v1/oncall", params={"org": "demo"}, headers=staff)
    assert [each["name"] for each in shown.json()["items"]] == ["Ana"]
    for answer in (made, oncall, shown):
        assert "secret-topic" not in answer.text
    refused = http.post(f"/v1/households/{seeded.household}/channels", json={"url": "not a url"}, headers=staff)
    assert refused.status_code == 422


def test_dispatch_sees_a_channel_that_has_failed_for_a_quarter_of_an_hour(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    login = {"login": "ana", "password": seeded.staff, "to": "/dispatch"}
    assert http.post("/login", data=login, headers={"Origin": "null"}).status_code in (200, 303)
    outage = Outage(id=UUID(int=5), channel="mail", since=NOW - timedelta(minutes=20), failures=9, why="refused")
    with connect(database_url, application="test") as conn:
        PgDesk(conn).levels.reach.failed(outage)
    assert "Messages do not go out" not in http.get("/dispatch").text
    (listed,) = http.get("/v1/warnings", headers=bearer(seeded, "dispatcher")).json()["items"]
    assert (listed["channel"], listed["warned"]) == ("mail", None)
    with connect(database_url, application="test") as conn:
        PgDesk(conn).levels.reach.save_outage(replace(outage, warned=NOW))
    assert "Messages do not go out" in http.get("/dispatch").text
