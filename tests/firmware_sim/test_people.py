from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
from msgspec.structs import replace

from firmware_sim.people import People
from firmware_sim.people_plan import plan
from firmware_sim.service import HttpService, Visit, Window
from firmware_sim.wear import DAY, Fault
from telemetry.clock import MICROS, to_micros

WINDOW = Window(datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 4, 11, tzinfo=UTC))
READABLE = datetime(2026, 3, 2, 10, tzinfo=UTC)
LATE = to_micros(WINDOW.end) + DAY
FAULT = Fault(device="demo/a", family="drainage", fault="drain_pump_wear", onset=0, failure=1)
MOVES = {"proposed": {"confirm": "confirmed"}}


def ident(kind: str, number: int = 0) -> str:
    """The same one for the same words."""
    return str(uuid5(NAMESPACE_URL, f"{kind}{number}"))


V0 = ident("v")


class Desk:
    """The part of the public API that people use, in memory."""

    def __init__(self, count: int = 1) -> None:
        self.visits = {
            ident("v", i): {
                "id": ident("v", i),
                "ticket": ident("t"),
                "ref": "WK-1",
                "device": "demo/a",
                "household": ident("home-", i),
                "family": "drainage",
                "parts": ["WM-PUMP-32"],
                "window": {"start": WINDOW.start.isoformat(), "end": WINDOW.end.isoformat()},
                "readable": READABLE.isoformat(),
                "state": "proposed",
                "technician": "Chen Wei",
                "technician_id": ident("technician"),
                "skill": "drainage",
                "hold_until": WINDOW.start.isoformat(),
                "legal": [],
            }
            for i in range(count)
        }
        self.log: list[tuple[str, object]] = []
        self.broken = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.broken:
            return httpx.Response(503)
        path = request.url.path
        if request.method == "GET":
            states = request.url.params["state"].split(",")
            live = [one for one in self.visits.values() if one["state"] in states]
            at = int(request.url.params.get("cursor", "0"))
            return httpx.Response(
                200, json={"items": live[at : at + 1], "next": str(at + 1) if at + 1 < len(live) else None}
            )
        _, _, _, visit, what = path.split("/")
        body = json.loads(request.content or b"{}")
        self.log.append((what, body))
        after = {"confirm": "confirmed", "outcome": "done"}
        self.visits[visit]["state"] = after.get(what) or body["to"]
        return httpx.Response(200, json=self.visits[visit])


class Appliances:
    """What stands in the households: every appliance with the same fault, or all of them in order."""

    def __init__(self, fault: Fault | None, mended: list[tuple[str, str, int]]) -> None:
        self._fault, self._mended = fault, mended

    def find(self, device: str) -> list[Fault]:
        return [] if self._fault is None else [replace(self._fault, device=device)]

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        assert by == "visit"
        self._mended.append((device, family, at))
        return self._fault


def made(
    desk: Desk, found: Fault | None = FAULT, yours: str | None = None
) -> tuple[People, list[tuple[str, str, int]]]:
    mended: list[tuple[str, str, int]] = []

    client = httpx.Client(base_url="http://test", transport=httpx.MockTransport(desk))
    return People(HttpService(client), 7, Appliances(found, mended), yours), mended


def visit() -> Visit:
    return Visit(id=V0, ticket=ident("t"), device="demo/a", family="drainage", window=WINDOW, state="proposed")


def test_when_people_act_is_known_beforehand() -> None:
    proposed = to_micros(READABLE)
    one = plan(7, visit(), proposed)
    assert one == plan(7, visit(), proposed)
    assert proposed + 3600 * MICROS <= one.confirm <= proposed + 6 * 3600 * MICROS
    start, end = to_micros(WINDOW.start), to_micros(WINDOW.end)
    assert one.dispatch < one.travel < one.arrive < one.mend < one.report <= end
    assert start <= one.arrive


def test_a_visit_is_walked_to_its_outcome_in_order() -> None:
    desk = Desk()
    people, mended = made(desk)
    proposed = plan(7, visit(), to_micros(READABLE))
    assert people.step(proposed.confirm - 1) == 0
    assert people.next_due() == proposed.confirm
    assert people.step(proposed.confirm) == 1
    assert people.next_due() == proposed.dispatch
    assert people.step(LATE) == 5
    moves = [body["to"] for what, body in desk.log if what == "moves" and isinstance(body, dict)]
    assert moves == ["dispatched", "travelling", "on_site"]
    assert desk.log[-1] == (
        "outcome",
        {"code": "repaired", "cause": "drain_pump_wear", "parts": ["WM-PUMP-32"], "note": "Runs as it should."},
    )
    assert mended == [("demo/a", "drainage", proposed.mend)]
    people.step(LATE)
    assert people.next_due() is None
    assert people.tally.repaired == 1


def test_nothing_broken_is_said_so() -> None:
    desk = Desk()
    people, _ = made(desk, found=None)
    people.step(LATE)
    what, body = desk.log[-1]
    assert what == "outcome"
    assert isinstance(body, dict)
    assert (body["code"], body.get("cause"), body["parts"]) == ("no_fault_found", None, [])


def test_your_household_is_left_to_you() -> None:
    desk = Desk(count=3)
    people, _ = made(desk, yours=ident("home-", 1))
    people.step(LATE)
    assert [one["state"] for one in desk.visits.values()] == ["done", "proposed", "done"]
    assert people.overdue(LATE) == 0
    people.yours = None
    people.step(LATE)
    assert desk.visits[ident("v", 1)]["state"] == "done"


def test_what_the_api_did_not_take_is_tried_again() -> None:
    desk = Desk()
    people, mended = made(desk)
    desk.broken = True
    assert people.step(LATE) == 0
    assert people.tally.errors == 1
    desk.broken = False
    assert people.step(LATE) == 6
    assert len(mended) == 1


@pytest.mark.parametrize("status", [409, 500])
def test_a_refused_move_is_looked_at_again(status: int) -> None:
    desk = Desk()
    people, _ = made(desk)
    refused = [True]

    def once(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and refused.pop() if refused else False:
            return httpx.Response(status)
        return desk(request)

    people.service = HttpService(httpx.Client(base_url="http://test", transport=httpx.MockTransport(once)))
    people.step(LATE)
    people.step(LATE)
    people.step(LATE)
    assert desk.visits[V0]["state"] == "done"
