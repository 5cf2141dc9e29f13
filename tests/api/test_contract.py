"""Every route of `/v1` keeps the conventions; so does one that was added a minute ago and did nothing for it."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import msgspec
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from api.app import create_app
from api.auth import Reader, TicketMover
from api.context import InTx
from api.limits import Limits
from api.problems import PROBLEMS
from api.settings import Settings
from api.v1 import models
from api.v1.models import Body, Moment, Page, TicketDetailOut
from api.v1.paging import Paging, listing
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, read_ticket
from storage.lab_store import keep_clock
from storage.pool import Connection, connect
from storage.read_desk import timeline
from storage.registry import register_device
from telemetry.clock import to_datetime
from telemetry.finding import EpisodeState
from telemetry.identity import DeviceKey
from telemetry.ids import Ids, millis_of
from tests.api.case import NOW, ORG, POINT, WALL, Seeded, picture, store_finding
from tests.api.fleet import answering
from tests.api.walk import (
    NOWHERE,
    Route,
    check_changing,
    check_reading,
    check_refusals,
    is_problem,
    routes_of,
    samples,
    times_are_spelled,
)

EXPORT = "/v1/devices/{org}/{device}/export"
"""A file to keep: no JSON, no ETag; see tests/api/test_lab.py."""


class NoteIn(Body):
    text: str


class LineOut(BaseModel):
    at: Moment
    kind: str


def new_routes() -> V1Router:
    """What somebody adds later: a list, a thing, and a change that wants to be made to what was seen."""
    router = V1Router()

    @router.get("/lines/{ticket}")
    def lines(ticket: UUID, who: Reader, tx: InTx, paging: Annotated[Paging, Depends(listing(2, 9))]) -> Page[LineOut]:
        read_ticket(tx, who, ticket)
        after = paging.after(int) or 0
        rows = [row for row in timeline(tx.conn, ticket) if row.id > after][: paging.limit + 1]
        return paging.page(rows, lambda row: LineOut(at=row.at, kind=row.kind), lambda row: row.id)

    @router.get("/first-line/{ticket}")
    def first_line(ticket: UUID, who: Reader, tx: InTx) -> LineOut:
        read_ticket(tx, who, ticket)
        row = timeline(tx.conn, ticket)[0]
        return LineOut(at=row.at, kind=row.kind)

    @router.post("/tickets/{ticket}/notes", status_code=201)
    @changes(TICKET, needs_match=True)
    def add_note(ticket: UUID, note: NoteIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
        read_ticket(tx, who, ticket)
        tx.office.log(ticket, tx.now, "note", who.actor(), text=note.text)
        return read_ticket(tx, who, ticket)

    @router.get("/accident")
    def accident(_: Reader) -> LineOut:
        raise RuntimeError("select secret from psycopg")

    return router


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[FastAPI]:
    with answering(tmp_path):
        # The wall clock stands still: a token's share is what it holds at once, and there are many routes.
        settings = Settings(database_url=database_url, pool_size=4, sim_folder=tmp_path, rate_per_s=5_000)
        made = create_app(settings, wall=lambda: WALL)
        made.include_router(new_routes())
        yield made
        made.state.context.pool.close()


@pytest.fixture
def auth(seeded: Seeded) -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens['admin']}"}


def bodies() -> dict[str, dict[str, Any] | None]:
    """A body that each change accepts, in an order in which they can be made."""
    return {
        "/v1/tickets/{ticket}/notes": {"text": "rings twice"},
        "/v1/tickets/{ticket}/complaints": {"words": "too late"},
        "/v1/tickets/{ticket}/self-check": {"step": 1, "answer": "done"},
        "/v1/tickets/{ticket}/self-tests": None,
        "/v1/tickets/{ticket}/photos": {"content": base64.b64encode(picture(0x10)).decode()},
        "/v1/tickets/{ticket}/survey": {"score": 5, "words": "friendly"},
        "/v1/households/{household}/consents": {"purpose": "analytics", "granted": False},
        "/v1/tickets/{ticket}/messages": {"words": "we come at nine"},
        "/v1/tickets/{ticket}/calls": {"outcome": "no_answer"},
        "/v1/tickets/{ticket}/acknowledgement": None,
        "/v1/tickets/{ticket}/internal-notes": {"words": "rings twice"},
        "/v1/tickets/{ticket}/hands": {"to": "supervisor"},
        "/v1/technicians/{technician}/absences": {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"},
        "/v1/tickets/{ticket}/call-me": None,
        "/v1/tickets/{ticket}/unplugged": None,
        "/v1/tickets/{ticket}/not-a-problem": {"reason": "we moved it last month"},
        "/v1/mails": {"message": "RnJvbTogbGlAZXhhbXBsZS5vcmcKCkhlbGxvCg=="},
        "/v1/silences": {"kind": "snooze", "until": "2026-12-20T08:00:00Z", "reason": "away", "org": "elsewhere"},
        "/v1/silences/end": {"silence": NOWHERE},
        "/v1/oncall": {
            "org": ORG,
            "step": 1,
            "name": "Ana",
            "address": "ana@example.org",
            "start": "2026-11-17T00:00:00Z",
            "until": "2026-11-20T00:00:00Z",
        },
        "/v1/oncall/end": {"entry": NOWHERE},
        "/v1/households/{household}/channels": {"url": "ntfy://ntfy.sh/li"},
        "/v1/households/{household}/tier": {"tier": "vip"},
        "/v1/devices/{org}/{device}/reports": {"words": "it is warm", "family": "condenser_airflow"},
        "/v1/findings/{finding}/ticket": None,
        "/v1/devices/{org}/{device}/trace": None,
        "/v1/findings/{finding}/replay": None,
        "/v1/simulator/{org}/{device}/faults": {"fault": "condenser_fan_wear", "lead_days": 3},
        "/v1/simulator/{org}/{device}/clearings": {"fault": "condenser_fan_wear"},
        "/v1/simulator/{org}/{device}/network": {"values": {"loss": 0.05}},
        "/v1/simulator/{org}/{device}/reboots": {"fw": "2.5.0"},
        "/v1/simulator/network": {"values": {"loss": 0.05}},
        "/v1/simulator/clock": {"speed": 600},
        "/v1/tickets/{ticket}/merge": {"into": NOWHERE},
        "/v1/plans": {"org": ORG, "days": 5},
        "/v1/plans/{plan}/lines/{line}/refuse": None,
        "/v1/plans/{plan}/lines/{line}/accept": None,
        "/v1/plans/{plan}/accept": {"lines": [1]},
        "/v1/tickets/{ticket}/assignment": {"technician": NOWHERE, "start": "2026-11-20T00:00:00Z"},
        "/v1/visits/{visit}/undo": None,
        "/v1/visits/{visit}/assignment": {"technician": NOWHERE, "start": "2026-11-20T00:00:00Z"},
        "/v1/visits/{visit}/lock": {"locked": False},
        "/v1/visits/{visit}/holds": {"start": "2026-11-20T00:00:00Z"},
        "/v1/visits/{visit}/windows": {"start": "2026-11-20T00:00:00Z"},
        "/v1/visits/{visit}/access": {"entry": "code 4711", "pets": "a cat", "adult": True},
        "/v1/visits/{visit}/cancellation": {"reason": "we are away"},
        "/v1/tickets/{ticket}/holds": {"start": "2026-11-20T00:00:00Z"},
        "/v1/tickets/{ticket}/windows": {"start": "2026-11-20T00:00:00Z"},
        "/v1/visits/{visit}/confirm": None,
        "/v1/visits/{visit}/moves": {"to": "dispatched"},
        "/v1/visits/{visit}/checklist": {"step": "safety-1", "done": True},
        "/v1/visits/{visit}/delay": {"expected": "2026-11-19T02:30:00Z"},
        "/v1/visits/{visit}/position": {"lat": 31.2304, "lon": 121.4737},
        "/v1/visits/{visit}/outcome": {"code": "repaired", "cause": "condenser_fan_wear", "parts": ["RF-FAN-120"]},
        "/v1/tickets/{ticket}/moves": {"to": "reopened", "reason": "it hums again"},
        "/v1/tickets/{ticket}/not-fixed": {"words": "it hums as before"},
        "/v1/tickets/{ticket}/quotes": {"parts": ["RF-FAN-120"]},
        "/v1/quotes/{quote}/approve": None,
        "/v1/quotes/{quote}/renewal": None,
        "/v1/quotes/{quote}/decline": {"reason": "too dear"},
        "/v1/tickets/{ticket}/ways": {"way": str(POINT.id)},
        "/v1/tickets/{ticket}/ways/moves": {"to": "received"},
        "/v1/parts/orders": {"org": ORG, "sku": "RF-FAN-120", "quantity": 2},
        "/v1/tickets/{ticket}/warranty/evidence": {"code": "liquid_inside", "note": "picture 2 of the visit"},
        "/v1/tickets/{ticket}/warranty/denial": {"rule": "liquid"},
        "/v1/tickets/{ticket}/warranty/appeal": {"words": "it never was wet"},
        "/v1/tickets/{ticket}/warranty/settlement": {"decision": NOWHERE, "upheld": False, "reason": "condensation"},
        "/v1/webhooks": {"url": "https://93.184.215.14/wellkept", "org": ORG, "types": ["ticket"]},
        "/v1/webhooks/{webhook}/secret": None,
        "/v1/webhooks/{webhook}/test": None,
        "/v1/webhooks/{webhook}/replay": {"after": 0},
        "/v1/webhooks/{webhook}/deliveries/{delivery}/again": None,
        "/v1/webhooks/{webhook}/deliveries/{delivery}/skip": None,
        "PATCH /v1/webhooks/{webhook}": {"note": "the night shift's", "enabled": False},
        "DELETE /v1/webhooks/{webhook}": None,
        "/v1/tickets/{ticket}/withdrawal": None,
        "/v1/tickets/{ticket}/home-link": None,
        "/v1/devices/{org}/{device}/mute": {"until": "2026-12-01T08:00:00Z"},
        "/v1/devices/{org}/{device}/unmute": None,
        "/v1/households/{household}/addresses": {"mail": "grandma@example.org"},
        "/v1/households/{household}/addresses/first": {"address": NOWHERE},
        "/v1/households/{household}/addresses/drop": {"address": NOWHERE},
        "/v1/households/{household}/wishes": {"lang": "zh", "quiet_from": "22:00:00", "quiet_to": "07:30:00"},
        "/v1/tickets/{ticket}/links/end": None,
        "/v1/households/{household}/links": None,
        "/v1/households/{household}/links/end": None,
        "/v1/devices/{org}/{device}/removal": {"why": "sold"},
        "/v1/households/{household}/erasure": None,
    }


def test_every_route_refuses_alike(http: httpx.Client, seeded: Seeded, auth: Mapping[str, str]) -> None:
    routes = list(routes_of(http.get("/openapi.json").json()))
    assert len(routes) >= 18
    for route in routes:
        body = bodies().get(route.template if route.method == "POST" else f"{route.method} {route.template}")
        check_refusals(http, route, samples(seeded), auth, body)
    is_problem(http.get("/v1/nothing", headers=auth), 404, "not-found")
    is_problem(http.get("/v1", headers=auth), 404, "not-found")


def test_every_get_has_etags_and_every_list_goes_on(
    http: httpx.Client, seeded: Seeded, auth: Mapping[str, str], database_url: str
) -> None:
    with connect(database_url, application="test") as conn:
        for i in range(3):
            conn.execute(
                "insert into reading_refrigerator (device, t, epoch, seq, sub, arrival, power)"
                " values (%s, %s, 1, 0, %s, %s, %s)",
                (seeded.device.no, NOW.replace(hour=0), i, NOW, 90.5 + i),
            )
    routes = [r for r in routes_of(http.get("/openapi.json").json()) if r.method == "GET"]
    lists = [route for route in routes if route.is_list]
    assert {"/v1/lines/{ticket}", "/v1/devices/{org}/{device}/readings"} <= {route.template for route in lists}
    for route in routes:
        if not route.is_stream and route.template not in ("/v1/accident", EXPORT):
            check_reading(http, route, samples(seeded), auth)
    # A cursor belongs to its list and its filters.
    first = http.get(f"/v1/lines/{seeded.ticket}", params={"limit": 1}, headers=auth).json()["next"]
    is_problem(http.get("/v1/devices", params={"cursor": first}, headers=auth), 400, "bad-cursor")
    more = {"limit": 1, "cursor": first, "kind": "x"}
    is_problem(http.get(f"/v1/lines/{seeded.ticket}", params=more, headers=auth), 400, "bad-cursor")


def make_ready(conn: Connection, template: str, seeded: Seeded) -> None:
    """What has to happen before a change that only readings or time make possible."""
    if template.endswith("/simulator/clock"):
        keep_clock(conn, to_datetime(WALL), 7_200.0)
    if template.endswith("/not-fixed"):
        conn.execute("update ticket set state = 'done', done = %s where id = %s", (NOW, seeded.ticket))
    if template.endswith("/renewal"):
        conn.execute("update quote set state = 'expired' where ticket = %s and state <> 'draft'", (seeded.ticket,))
    if template.endswith("/survey"):
        conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))
    if template.endswith("/withdrawal"):
        taken_up = conn.execute(
            "update ticket set state = 'open' where id = %s and state = 'in_repair'", (seeded.ticket,)
        )
        assert taken_up.rowcount == 1
        conn.execute("update way_case set state = 'cancelled' where ticket = %s", (seeded.ticket,))
        gone = {"revision": seeded.finding.revision + 1, "state": EpisodeState.ENDED}
        store_finding(conn, seeded.device, msgspec.structs.replace(seeded.finding, **gone))


def prepared(  # noqa: C901, PLR0911  (a row of cases)
    http: httpx.Client, template: str, here: dict[str, str], body: dict[str, Any] | None, seeded: Seeded
) -> tuple[dict[str, str], dict[str, Any] | None, dict[str, str]]:
    """What has to be there before a change can be made: where it is made, with which body, and by whom."""
    auth = {"Authorization": f"Bearer {seeded.tokens['admin']}"}
    match template.rsplit("/", 1)[1]:
        case "position" | "outcome" as last:
            for state in ("travelling",) if last == "position" else ("on_site",):
                assert http.post(f"/v1/visits/{here['visit']}/moves", json={"to": state}, headers=auth).is_success
        case "end" if template.endswith("/silences/end"):
            (silence,) = http.get("/v1/silences", headers=auth).json()["items"]
            return here, {"silence": silence["id"]}, auth
        case "end" if template.endswith("/oncall/end"):
            (entry,) = http.get("/v1/roster", headers=auth).json()["items"]
            return here, {"entry": entry["id"]}, auth
        case "decline":
            (waits,) = http.get("/v1/quotes", params={"state": "sent"}, headers=auth).json()["items"]
            here["quote"] = waits["id"]
        case "first" | "drop":
            known = http.get(f"/v1/households/{here['household']}/addresses", headers=auth).json()["items"]
            return here, {"address": known[-1]["id"]}, auth
        case "assignment":
            path = f"/v1/tickets/{here['ticket']}/suggestions"
            for each in http.get(path, headers=auth).json()["best"]:
                place = {"technician": each["technician"], "start": each["start"]}
                check = f"/v1/tickets/{here['ticket']}/assignment"
                if http.get(check, params=place, headers=auth).json()["slot"]["start"] != each["start"]:
                    return here, place, auth
            raise AssertionError("nobody could come at another time")
        case "merge" | "not-a-problem" as last:
            wrong = {"words": "it is warm", "family": "refrigerant"}
            other = http.post(f"/v1/devices/{ORG}/fridge-1/reports", json=wrong, headers=auth).json()
            return {**here, "ticket": other["id"]}, {"into": here["ticket"]} if last == "merge" else body, auth
        case "settlement":
            decided = http.get(f"/v1/tickets/{here['ticket']}/warranty", headers=auth).json()["decisions"]
            given = {**(body or {}), "decision": decided[0]["id"]}
            path = f"/v1/tickets/{here['ticket']}/warranty/settlement"
            is_problem(http.post(path, json=given, headers=auth), 409, "same-reviewer")
            return here, given, {"Authorization": f"Bearer {seeded.tokens['dispatcher']}"}
        case _:
            pass
    return here, body, auth


def test_every_change_is_conditional_and_repeatable(
    http: httpx.Client, seeded: Seeded, auth: Mapping[str, str], database_url: str
) -> None:
    posts = {
        r.template if r.method == "POST" else f"{r.method} {r.template}": r
        for r in routes_of(http.get("/openapi.json").json())
        if r.method != "GET"
    }
    assert posts.keys() == bodies().keys(), "a new change needs a body in this test"
    here = samples(seeded)
    offers = http.get(f"/v1/visits/{here['visit']}/windows", headers=auth).json()
    for template, body in bodies().items():
        given = {"start": offers["best"][1]["start"]} if template.endswith(("/windows", "/holds")) else body
        where, given, by = prepared(http, template, here, given, seeded)
        with connect(database_url, application="test") as conn:
            make_ready(conn, template, seeded)
            before = len(timeline(conn, seeded.ticket))
        done = check_changing(http, posts[template], where, by, given)
        with connect(database_url, application="test") as conn:
            kinds = [row.kind for row in timeline(conn, seeded.ticket)[before:]]
        # The effect came once, whatever was asked around it.
        assert kinds.count("note") == (template.endswith("notes"))
        assert kinds.count("outcome") == (template.endswith("/outcome"))
        assert kinds.count("complaint") == (template.endswith("/complaints"))
        assert kinds.count("owner_reported") == (template.endswith(("/reports", "/merge")))
        if template == "/v1/plans":
            here["plan"] = done["id"]
        if template == "/v1/tickets/{ticket}/quotes":
            here["quote"] = done["id"]
        if template.endswith(("/assignment", "/undo")):
            here["visit"] = done["visit"]
        if template.endswith("/windows"):
            here["visit"] = done["id"] if "visits" not in done else done["visits"][-1]["id"]
            assert millis_of(UUID(here["visit"])) == round(NOW.timestamp() * 1000)
    ticket = http.get(f"/v1/tickets/{seeded.ticket}", headers=auth).json()
    assert ticket["state"] == "self_fixed"  # reopened, quoted, declined, brought to a service point, withdrawn
    assert times_are_spelled(ticket["timeline"]) > 8


def test_a_list_is_stable_while_rows_are_inserted(
    http: httpx.Client, auth: Mapping[str, str], database_url: str
) -> None:
    """Newest first: what comes later is not in it. By number: what comes later stands at the end. Nothing twice."""

    def insert(i: int) -> None:
        with connect(database_url, application="test") as conn:
            register_device(conn, DeviceKey(ORG, f"new-{i}"), "washing_machine", registered=NOW)
            conn.execute(
                "insert into notice (id, ticket, household, stage, occasion, lang, channel, subject, body, message_id,"
                " state, queued, not_before)"
                " select %s, ticket, household, stage, 100 + %s, lang, channel, subject, body, %s, state,"
                " queued + %s * interval '1 second', not_before from notice order by queued limit 1",
                (Ids(random.Random(i)).at(WALL), i, f"<{i}@test>", i),
            )

    for i in range(5):
        insert(i)
    before = {
        path: [each["id"] for each in http.get(path, headers=auth).json()["items"]]
        for path in ("/v1/notices", "/v1/devices")
    }
    walked: dict[str, list[str]] = {}
    count = 5
    for path in before:
        walked[path] = []
        url: str | None = f"{path}?limit=2"
        while url is not None:
            piece = http.get(url, headers=auth)
            walked[path] += [each["id"] for each in piece.json()["items"]]
            url = piece.links["next"]["url"] if "next" in piece.links else None
            if count < 10:
                insert(count)
                count += 1
    assert walked["/v1/notices"] == before["/v1/notices"]
    devices = walked["/v1/devices"]
    assert devices[:6] == before["/v1/devices"]
    assert len(set(devices)) == len(devices) == 11


def test_an_accident_tells_nothing_of_the_inside(http: httpx.Client, auth: Mapping[str, str]) -> None:
    incident = UUID(is_problem(http.get("/v1/accident", headers=auth), 500, "internal")["incident"])
    assert incident.version == 4
    assert http.get("/v1/clock", headers=auth).is_success


def test_what_the_database_cannot_hold_is_the_askers_fault(http: httpx.Client, auth: Mapping[str, str]) -> None:
    is_problem(http.get("/v1/visits", params={"technician": "a\0b"}, headers=auth), 422, "invalid")
    is_problem(http.get("/v1/devices/demo/a%00b", headers=auth), 422, "invalid")
    path = "/v1/devices/demo/fridge-1/readings"
    is_problem(http.get(path, params={"to": "0001-01-01T00:00:00Z"}, headers=auth), 422, "invalid")
    for naive in ("2026-11-20", "2026-11-20T00:00:00", "1700000000", "2026-11-20 00:00:00Z"):
        assert (
            is_problem(http.get(path, params={"from": naive}, headers=auth), 422)["errors"][0]["where"] == "query.from"
        )
    assert http.get(path, params={"from": "2026-11-18T08:00:00+08:00"}, headers=auth).is_success


def test_a_token_has_its_share() -> None:
    limits = Limits(per_second=2)
    one, other = UUID(int=1), UUID(int=2)
    assert [limits.take(one, NOW) for _ in range(5)] == [0, 0, 0, 0, 1]
    assert limits.take(other, NOW) == 0
    assert limits.take(one, NOW + timedelta(seconds=1)) == 0


def test_too_many_requests_are_a_problem(http: httpx.Client, app: FastAPI, auth: Mapping[str, str]) -> None:
    app.state.limits = Limits(per_second=0.5)
    assert http.get("/v1/clock", headers=auth).is_success
    refused = http.get("/v1/clock", headers=auth)
    is_problem(refused, 429, "too-many-requests")
    assert refused.headers["retry-after"] == "2"


def test_the_document_is_complete(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    schemas, answers = document["components"]["schemas"], document["components"]["responses"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    ids = []
    for route in routes_of(document):
        said = route.description
        ids.append(said["operationId"])
        assert said["security"] == [{"bearer": []}]
        assert said["summary"]
        _answers_are_described(route, answers)
        if "Body" in said.get("requestBody", {}):
            assert "application/json" in said["requestBody"]["content"]
    assert len(set(ids)) == len(ids)
    own = {name: getattr(models, name) for name in schemas if hasattr(models, name)}
    assert {"TicketDetailOut", "VisitOut", "MoveIn", "ProblemOut", "ChangeOut"} <= own.keys()
    for name, model in own.items():
        for example in schemas[name]["examples"]:
            assert model.model_validate(example), name
    told = {each for answer in answers.values() for each in answer["content"]["application/problem+json"]["examples"]}
    assert told == PROBLEMS.keys()


def test_every_reference_of_the_document_leads_somewhere(http: httpx.Client) -> None:
    text = http.get("/openapi.json").text
    document = json.loads(text)
    references = set(re.findall(r'"\$ref":"#/([^"]+)"', text))
    assert len(references) > 30
    for reference in references:
        found = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def _answers_are_described(route: Route, answers: Mapping[str, Any]) -> None:
    said = route.description["responses"]
    assert {"401", "403", "429", "500", "503"} <= said.keys()
    if route.method == "GET" and not route.is_stream:
        assert "ETag" in said["200"]["headers"]
        assert "304" in said
    if route.method == "POST":
        assert {"409", "413", "415", "422"} <= said.keys()
    if route.parameters["path"]:
        assert "404" in said
    if route.template.endswith("/notes"):
        assert "428" in said
    for status, answer in said.items():
        if "$ref" in answer:
            assert answer["$ref"] == f"#/components/responses/Problem{status}"
            assert f"Problem{status}" in answers
