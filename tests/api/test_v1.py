"""`/v1` over a real database: who may see and do what, and what people do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from storage.pool import connect
from tests.api.case import NOW, ORG, POINT, Seeded

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(http: httpx.Client, seeded: Seeded) -> httpx.Client:
    assert seeded
    return http


def bearer(seeded: Seeded, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


def routes(seeded: Seeded) -> list[tuple[str, str, dict[str, Any] | None]]:
    device, ticket, visit = f"/v1/devices/{ORG}/fridge-1", f"/v1/tickets/{seeded.ticket}", f"/v1/visits/{seeded.visit}"
    quote, home = f"/v1/quotes/{seeded.quote}", f"/v1/households/{seeded.household}"
    return [
        ("GET", device, None),
        ("GET", f"{device}/readings", None),
        ("GET", f"{device}/signals", None),
        ("GET", f"{device}/way", None),
        ("GET", f"{device}/dead-letters", None),
        ("GET", f"{device}/export", None),
        ("GET", f"{device}/trace", None),
        ("POST", f"{device}/trace", {}),
        ("GET", f"/v1/findings/{seeded.finding.id}/replay", None),
        ("POST", f"/v1/findings/{seeded.finding.id}/replay", {}),
        ("GET", f"/v1/simulator/{ORG}/fridge-1", None),
        ("POST", f"/v1/simulator/{ORG}/fridge-1/faults", {"fault": "condenser_fan_wear"}),
        ("POST", f"/v1/simulator/{ORG}/fridge-1/clearings", {}),
        ("POST", f"/v1/simulator/{ORG}/fridge-1/network", {"values": {"loss": 0.1}}),
        ("POST", f"/v1/simulator/{ORG}/fridge-1/reboots", {}),
        ("POST", f"{device}/reports", {"words": "it is warm", "family": "condenser_airflow"}),
        ("GET", f"/v1/findings/{seeded.finding.id}", None),
        ("POST", f"/v1/findings/{seeded.finding.id}/ticket", {}),
        ("GET", ticket, None),
        ("POST", f"{ticket}/moves", {"to": "hold", "reason": "x"}),
        ("POST", f"{ticket}/complaints", {"words": "too late"}),
        ("POST", f"{ticket}/messages", {"words": "hello"}),
        ("POST", f"{ticket}/calls", {"outcome": "no_answer"}),
        ("POST", f"{ticket}/acknowledgement", {}),
        ("POST", f"{ticket}/internal-notes", {"words": "rings twice"}),
        ("POST", f"{ticket}/hands", {"to": "supervisor"}),
        ("GET", f"/v1/technicians/{seeded.technician}", None),
        ("GET", f"/v1/technicians/{seeded.technician}/touched", None),
        ("POST", f"/v1/technicians/{seeded.technician}/absences", dict(ABSENCE)),
        ("GET", f"{ticket}/levels", None),
        ("POST", f"/v1/households/{seeded.household}/channels", {"url": "ntfy://ntfy.sh/li"}),
        ("POST", f"/v1/households/{seeded.household}/tier", {"tier": "vip"}),
        ("GET", f"{ticket}/suggestions", None),
        ("GET", f"{ticket}/assignment", None),
        ("POST", f"{ticket}/assignment", {"technician": NOWHERE, "start": "2026-11-20T00:00:00Z"}),
        ("POST", f"{visit}/assignment", {"technician": NOWHERE, "start": "2026-11-20T00:00:00Z"}),
        ("POST", f"{visit}/undo", {}),
        ("POST", f"{visit}/lock", {"locked": True}),
        ("GET", f"/v1/plans/{seeded.plan}", None),
        ("POST", f"/v1/plans/{seeded.plan}/accept", {"lines": [1]}),
        ("POST", f"/v1/plans/{seeded.plan}/lines/1/refuse", {}),
        ("POST", f"/v1/plans/{seeded.plan}/lines/1/accept", {}),
        ("GET", visit, None),
        ("POST", f"{visit}/holds", {"start": "2026-11-20T00:00:00Z"}),
        ("GET", f"{visit}/windows", None),
        ("POST", f"{visit}/windows", {"start": "2026-11-20T00:00:00Z"}),
        ("POST", f"{visit}/confirm", {}),
        ("POST", f"{visit}/moves", {"to": "declined"}),
        ("POST", f"{visit}/outcome", {"code": "repaired"}),
        ("GET", f"/v1/technicians/{seeded.technician}/days/2026-11-19", None),
        ("GET", f"{visit}/checklist", None),
        ("POST", f"{visit}/checklist", {"step": "safety-1"}),
        ("POST", f"{visit}/delay", {"expected": "2026-11-19T02:30:00Z"}),
        ("GET", f"{visit}/position", None),
        ("POST", f"{visit}/position", {"lat": 31.2, "lon": 121.5}),
        ("GET", f"{visit}/access", None),
        ("POST", f"{visit}/access", {"adult": True}),
        ("GET", f"{visit}/arrival", None),
        ("POST", f"{visit}/cancellation", {"reason": "away"}),
        ("GET", f"{ticket}/messages", None),
        ("GET", f"{ticket}/windows", None),
        ("POST", f"{ticket}/windows", {"start": "2026-11-20T00:00:00Z"}),
        ("POST", f"{ticket}/holds", {"start": "2026-11-20T00:00:00Z"}),
        ("POST", f"{ticket}/call-me", {}),
        ("POST", f"{ticket}/unplugged", {}),
        ("POST", f"{ticket}/not-a-problem", {"reason": "x"}),
        ("GET", f"{ticket}/estimate", None),
        ("GET", f"{ticket}/bills", None),
        ("POST", f"{ticket}/quotes", {}),
        ("GET", quote, None),
        ("POST", f"{quote}/approve", {}),
        ("POST", f"{quote}/decline", {"reason": "too dear"}),
        ("GET", f"{ticket}/warranty", None),
        ("POST", f"{ticket}/warranty/evidence", {"code": "liquid_inside", "note": "picture 2"}),
        ("POST", f"{ticket}/warranty/denial", {"rule": "liquid"}),
        ("POST", f"{ticket}/warranty/appeal", {"words": "never"}),
        ("POST", f"{ticket}/warranty/settlement", {"decision": NOWHERE, "upheld": True, "reason": "because"}),
        ("POST", f"{ticket}/merge", {"into": str(seeded.ticket)}),
        ("GET", f"{ticket}/ways", None),
        ("POST", f"{ticket}/ways", {"way": str(POINT.id)}),
        ("POST", f"{ticket}/ways/moves", {"to": "received"}),
        ("GET", "/v1/serials/LX260-004217", None),
        ("GET", f"{ticket}/self-check", None),
        ("POST", f"{ticket}/self-check", {"step": 1, "answer": "done"}),
        ("GET", f"{ticket}/self-tests", None),
        ("POST", f"{ticket}/self-tests", {}),
        ("POST", f"{ticket}/withdrawal", {}),
        ("GET", f"{ticket}/photos", None),
        ("POST", f"{ticket}/photos", {"content": "eA=="}),
        ("GET", f"{ticket}/photos/{seeded.photo}", None),
        ("GET", f"{ticket}/survey", None),
        ("POST", f"{ticket}/survey", {"score": 5}),
        ("GET", home, None),
        ("GET", f"{home}/consents", None),
        ("POST", f"{home}/consents", {"purpose": "analytics", "granted": False}),
        ("GET", f"{home}/export", None),
        ("GET", f"{home}/erasure", None),
        ("GET", f"{device}/condition", None),
        ("GET", f"{device}/trend", None),
        ("POST", f"{device}/mute", {"until": "2026-12-01T08:00:00Z"}),
        ("POST", f"{device}/unmute", {}),
        ("GET", f"{home}/addresses", None),
        ("POST", f"{home}/addresses", {"mail": "grandma@example.org"}),
        ("POST", f"{home}/addresses/first", {"address": NOWHERE}),
        ("POST", f"{home}/addresses/drop", {"address": NOWHERE}),
        ("GET", f"{home}/wishes", None),
        ("POST", f"{home}/wishes", {"lang": "zh"}),
        ("GET", f"{ticket}/links", None),
        ("POST", f"{ticket}/links/end", {}),
        ("GET", f"{home}/links", None),
        ("POST", f"{home}/links", {}),
        ("POST", f"{home}/links/end", {}),
        ("POST", f"{ticket}/home-link", {}),
        ("POST", f"{ticket}/not-fixed", {"words": "it hums"}),
        ("GET", f"{ticket}/report", None),
        ("POST", f"{quote}/renewal", {}),
        ("GET", f"{quote}/receipt", None),
        ("POST", f"{device}/removal", {"why": "sold"}),
        ("POST", f"{home}/erasure", {}),
        *hooks(seeded),
    ]


def hooks(seeded: Seeded) -> list[tuple[str, str, dict[str, Any] | None]]:
    hook = f"/v1/webhooks/{seeded.webhook}"
    one = f"{hook}/deliveries/{seeded.delivery}"
    return [
        ("GET", hook, None),
        ("PATCH", hook, {"note": "ours"}),
        ("DELETE", hook, {}),
        ("POST", f"{hook}/secret", {}),
        ("POST", f"{hook}/test", {}),
        ("POST", f"{hook}/replay", {"after": 0}),
        ("GET", f"{hook}/deliveries", None),
        ("GET", one, None),
        ("POST", f"{one}/again", {}),
        ("POST", f"{one}/skip", {}),
    ]


LISTS = [
    "/v1/clock",
    "/v1/scoreboard",
    "/v1/devices",
    "/v1/findings",
    "/v1/tickets",
    "/v1/visits",
    "/v1/notices",
    "/v1/quotes",
]
ABSENCE = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z", "reason": "ill"}
ON_THE_WAY = ("dispatched", "travelling", "on_site")
STREAMS = ["/v1/events"]
WIDE: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/mails", {"message": "eA=="}),
    ("GET", "/v1/mails/unmatched", None),
    ("GET", "/v1/calls", None),
    ("GET", "/v1/warnings", None),
    ("GET", "/v1/reports/first-contact", None),
    ("GET", "/v1/reports/service", None),
    ("GET", "/v1/reports/causes", None),
    ("GET", "/v1/silences", None),
    ("POST", "/v1/silences/end", {"silence": NOWHERE}),
    ("GET", "/v1/oncall", None),
    ("GET", "/v1/roster", None),
    ("POST", "/v1/oncall/end", {"entry": NOWHERE}),
    ("GET", "/v1/technicians", None),
    ("GET", "/v1/wall", None),
    ("GET", "/v1/fleet-faults", None),
    ("POST", "/v1/parts/orders", {"sku": "RF-FAN-120", "quantity": 1}),
    ("POST", "/v1/plans", {"days": 1}),
    ("GET", "/v1/board", None),
    ("GET", "/v1/audit", None),
    ("GET", "/v1/shadows", None),
    ("GET", "/v1/simulator", None),
    ("POST", "/v1/simulator/network", {"values": None}),
    ("POST", "/v1/simulator/clock", {"speed": 60}),
    ("GET", "/v1/webhooks", None),
    ("POST", "/v1/webhooks", {"url": "https://93.184.215.14/", "org": ORG}),
    ("GET", "/v1/reports/care", None),
]
"""Of the whole desk: they name no object of anybody's."""


def test_every_route_asks_for_a_token(client: httpx.Client, seeded: Seeded) -> None:
    paths = [("GET", path, None) for path in LISTS + STREAMS] + routes(seeded) + WIDE
    for method, path, body in paths:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}):
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_every_route_of_the_document_is_in_these_tests(client: httpx.Client, seeded: Seeded) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    shapes = {
        path.replace("{org}", ORG)
        .replace("{device}", "fridge-1")
        .replace("{ticket}", str(seeded.ticket))
        .replace("{visit}", str(seeded.visit))
        .replace("{finding}", seeded.finding.id)
        .replace("{household}", str(seeded.household))
        .replace("{plan}", str(seeded.plan))
        .replace("{line}", "1")
        .replace("{quote}", str(seeded.quote))
        .replace("{photo}", str(seeded.photo))
        .replace("{technician}", str(seeded.technician))
        .replace("{day}", "2026-11-19")
        .replace("{webhook}", str(seeded.webhook))
        .replace("{delivery}", str(seeded.delivery))
        .replace("{serial}", "LX260-004217")
        for path in paths
        if path.startswith("/v1/")
    }
    assert shapes == {*LISTS, *STREAMS} | {path for _, path, _ in routes(seeded) + WIDE}


def test_a_foreign_object_looks_like_a_missing_one(client: httpx.Client, seeded: Seeded) -> None:
    for method, path, body in routes(seeded):
        foreign = client.request(method, path, json=body, headers=bearer(seeded, "foreign"))
        missing = client.request(
            method,
            path.replace(str(seeded.ticket), NOWHERE)
            .replace(str(seeded.visit), NOWHERE)
            .replace(seeded.finding.id, NOWHERE)
            .replace(str(seeded.household), NOWHERE)
            .replace(str(seeded.plan), NOWHERE)
            .replace(str(seeded.technician), NOWHERE)
            .replace(str(seeded.quote), NOWHERE)
            .replace(str(seeded.webhook), NOWHERE)
            .replace("LX260-004217", "LX260-000000")
            .replace("fridge-1", "fridge-x"),
            json=body,
            headers=bearer(seeded, "admin"),
        )
        assert foreign.status_code == missing.status_code == 404, path
        assert {k: v for k, v in foreign.json().items() if k != "instance"} == {
            k: v for k, v in missing.json().items() if k != "instance"
        }
    for path in LISTS[2:]:
        assert client.get(path, headers=bearer(seeded, "foreign")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("role", ["read_only", "engineer", "technician"])
def test_roles_without_the_right_are_refused(client: httpx.Client, seeded: Seeded, role: str) -> None:
    headers = bearer(seeded, role)
    assert client.post(f"/v1/visits/{seeded.visit}/confirm", json={}, headers=headers).status_code == 403
    moved = client.post(f"/v1/tickets/{seeded.ticket}/moves", json={"to": "hold", "reason": "x"}, headers=headers)
    assert moved.status_code == 403


def test_a_visit_runs_its_life(client: httpx.Client, seeded: Seeded) -> None:
    people, visit = bearer(seeded, "people"), f"/v1/visits/{seeded.visit}"
    confirmed = client.post(f"{visit}/confirm", json={}, headers=people)
    assert confirmed.json()["state"] == "confirmed"
    assert client.post(f"{visit}/confirm", json={}, headers=people).json()["state"] == "confirmed"
    ticket = client.get(f"/v1/tickets/{seeded.ticket}", headers=people).json()
    assert ticket["state"] == "planned"
    assert ticket["visits"][0]["window"]["start"] > ticket["opened"]
    for state in ("dispatched", "travelling", "on_site"):
        moved = client.post(f"{visit}/moves", json={"to": state}, headers=people)
        assert moved.json()["state"] == state, moved.text
    wrong = client.post(f"{visit}/outcome", json={"code": "repaired", "cause": "gremlins"}, headers=people)
    assert wrong.status_code == 422
    outcome = {"code": "repaired", "cause": "condenser_fan_wear", "parts": ["RF-FAN-120"], "note": "new fan"}
    done = client.post(f"{visit}/outcome", json=outcome, headers=people).json()
    assert (done["state"], done["outcome"], done["cause"]) == ("done", "repaired", "condenser_fan_wear")
    ticket = client.get(f"/v1/tickets/{seeded.ticket}", headers=people).json()
    assert ticket["state"] == "done"
    assert {"moved", "visit", "outcome", "notice"} <= {e["kind"] for e in ticket["timeline"]}
    assert any(e["actor"].startswith("technician:") for e in ticket["timeline"])


def test_an_illegal_move_names_the_legal_ones(client: httpx.Client, seeded: Seeded) -> None:
    headers = bearer(seeded, "admin")
    answer = client.post(f"/v1/visits/{seeded.visit}/moves", json={"to": "on_site"}, headers=headers)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"confirmed", "declined"} <= set(answer.json()["legal"])
    ticket = client.post(f"/v1/tickets/{seeded.ticket}/moves", json={"to": "closed"}, headers=headers)
    assert ticket.status_code == 409
    assert "hold" in ticket.json()["legal"]
    assert client.get(f"/v1/tickets/{seeded.ticket}", headers=headers).json()["legal"] == ticket.json()["legal"]
    bare = client.post(f"/v1/tickets/{seeded.ticket}/moves", json={"to": "hold"}, headers=headers)
    assert bare.status_code == 422
    assert client.post(f"/v1/tickets/{seeded.ticket}/moves", json={"to": "x"}, headers=headers).status_code == 422


def test_another_window_is_taken_and_an_impossible_one_is_not(client: httpx.Client, seeded: Seeded) -> None:
    owner = bearer(seeded, "owner")
    offers = client.get(f"/v1/visits/{seeded.visit}/windows", headers=owner).json()
    assert len(offers["best"]) == 3
    gone = client.post(f"/v1/visits/{seeded.visit}/windows", json={"start": "2026-11-20T03:17:00Z"}, headers=owner)
    assert gone.status_code == 409
    naive = client.post(f"/v1/visits/{seeded.visit}/windows", json={"start": "2026-11-20T03:00:00"}, headers=owner)
    assert naive.status_code == 422
    start = offers["best"][1]["start"]
    taken = client.post(f"/v1/visits/{seeded.visit}/windows", json={"start": start}, headers=owner).json()
    assert (taken["state"], taken["window"]["start"]) == ("confirmed", start)
    assert client.get(f"/v1/visits/{seeded.visit}", headers=owner).json()["state"] == "moved"


def test_lists_go_on_by_cursor(client: httpx.Client, seeded: Seeded) -> None:
    headers = bearer(seeded, "read_only")
    first = client.get("/v1/notices", params={"limit": 1}, headers=headers).json()
    assert len(first["items"]) == 1
    assert client.get("/v1/tickets", params={"cursor": "nonsense"}, headers=headers).status_code == 400
    assert client.get("/v1/devices", params={"cursor": "x"}, headers=headers).status_code == 400
    assert (
        client.get("/v1/tickets", params={"state": "open,hold"}, headers=headers).json()["items"][0]["state"] == "open"
    )
    assert client.get("/v1/tickets", params={"state": "lost"}, headers=headers).status_code == 422
    assert client.get("/v1/visits", params={"state": "proposed"}, headers=headers).json()["items"][0]["parts"]
    findings = client.get("/v1/findings", params={"device": f"{ORG}/fridge-1"}, headers=headers).json()["items"]
    assert findings[0]["finding"]["causes"][0]["fault"] == "condenser_fan_wear"


def test_readings_come_by_event_time(client: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        for i in range(3):
            conn.execute(
                "insert into reading_refrigerator (device, t, epoch, seq, sub, arrival, power)"
                " values (%s, %s::timestamptz + %s * interval '1 minute', 1, %s, 0, %s, %s)",
                (seeded.device.no, NOW.replace(hour=0), i, i, NOW, 90.5 + i),
            )
    headers = bearer(seeded, "engineer")
    path = f"/v1/devices/{ORG}/fridge-1/readings"
    first = client.get(path, params={"limit": 2}, headers=headers).json()
    assert [item["q"]["power"] for item in first["items"]] == [90.5, 91.5]
    assert first["items"][0]["q"]["ambient"] is None
    rest = client.get(path, params={"limit": 2, "cursor": first["next"]}, headers=headers).json()
    assert [item["q"]["power"] for item in rest["items"]] == [92.5]


def test_the_clock_is_told(client: httpx.Client, seeded: Seeded) -> None:
    clock = client.get("/v1/clock", headers=bearer(seeded, "people")).json()
    assert (clock["rev"], clock["speed"]) == (1, 0.0)
    assert clock["now"] == "2026-11-18T01:30:00Z"


def test_health_readiness_and_metrics(client: httpx.Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json()["status"] == "ready"
    text = client.get("/metrics").text
    assert 'wellkept_tickets{state="open"} 1.0' in text
    assert "wellkept_http_requests_total" in text


def test_not_ready_without_a_schema(http: httpx.Client, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        conn.execute("alter table schema_migration rename to gone")
    answer = http.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_real_request_over_the_wire(http: httpx.Client, seeded: Seeded) -> None:
    answer = http.get(f"/v1/tickets/{seeded.ticket}", headers=bearer(seeded, "dispatcher"))
    assert answer.status_code == 200
    assert answer.json()["ref"] == seeded.ref


def test_serial_number_shows_the_case_to_whoever_may_see_it_and_nothing_to_others(
    client: httpx.Client, seeded: Seeded
) -> None:
    path = "/v1/serials/LX260-004217"
    for role in ("owner", "dispatcher"):
        told = client.get(path, headers=bearer(seeded, role)).json()
        (case,) = told["cases"]
        assert (told["device"], case["ref"]) == ("demo/fridge-1", seeded.ref)
        assert case["estimate"]["warranty"]["cover"] == "covered"
        assert case["estimate"]["warranty"]["reason"]["zh"]
        assert {"next_action", "next_due", "window", "parts", "timeline"} <= case.keys()
    assert client.get(path).status_code == 401
    foreign = client.get(path, headers=bearer(seeded, "foreign")).json()
    unknown = client.get("/v1/serials/LX260-000001", headers=bearer(seeded, "owner")).json()
    assert foreign | {"instance": ""} == unknown | {"instance": ""}


def test_an_owner_does_not_see_a_draft_and_answers_what_was_sent(client: httpx.Client, seeded: Seeded) -> None:
    owner, desk = bearer(seeded, "owner"), bearer(seeded, "dispatcher")
    assert client.get("/v1/quotes", headers=owner).json()["items"] == []
    assert client.get(f"/v1/quotes/{seeded.quote}", headers=owner).status_code == 404
    made = client.post(f"/v1/tickets/{seeded.ticket}/quotes", json={}, headers=desk).json()
    assert made["state"] == "sent"
    assert client.get(f"/v1/tickets/{seeded.ticket}", headers=owner).json()["state"] == "awaiting_quote"
    again = client.post(f"/v1/tickets/{seeded.ticket}/quotes", json={}, headers=desk)
    assert again.json()["type"].endswith("illegal-move")
    (shown,) = client.get("/v1/quotes", headers=owner).json()["items"]
    assert shown["legal"] == ["approved", "declined"]
    approved = client.post(f"/v1/quotes/{shown['id']}/approve", json={}, headers=owner).json()
    assert (approved["state"], approved["legal"]) == ("approved", [])


def test_a_charge_above_the_agreed_sum_and_a_denial_without_evidence_are_refused(
    client: httpx.Client, seeded: Seeded
) -> None:
    people, desk, visit = bearer(seeded, "people"), bearer(seeded, "dispatcher"), f"/v1/visits/{seeded.visit}"
    for path, body in ((f"{visit}/confirm", {}), *((f"{visit}/moves", {"to": s}) for s in ON_THE_WAY)):
        assert client.post(path, json=body, headers=people).is_success
    outcome = {"code": "repaired", "cause": "condenser_fan_wear", "parts": ["RF-FAN-120"], "note": "new fan"}
    dear = client.post(f"{visit}/outcome", json=outcome | {"charged": "999.00"}, headers=people)
    assert dear.json()["type"].endswith("above-agreed")
    assert (dear.json()["asked"], dear.json()["most"]) == ("999.00", "0.00")
    denial = client.post(f"/v1/tickets/{seeded.ticket}/warranty/denial", json={"rule": "liquid"}, headers=desk)
    assert denial.json()["type"].endswith("denial-unfounded")
    assert denial.json()["missing"] == ["liquid_inside"]
    fitted = {"sku": "RF-FAN-120", "serial": "F-77", "replaced": "F-12"}
    assert client.post(f"{visit}/outcome", json=outcome | {"fitted": [fitted]}, headers=people).is_success
    (bill,) = client.get(f"/v1/tickets/{seeded.ticket}/bills", headers=bearer(seeded, "owner")).json()
    assert (bill["total"], bill["lines"][-1]["kind"]) == ("0.00", "warranty")
