"""Simulated people on a bad line: the first answer to whatever they do gets lost, and yet everything is done once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from firmware_sim.people import People
from firmware_sim.service import HttpService, ServiceError
from firmware_sim.wear import Fault
from storage.pool import connect
from telemetry.clock import to_micros
from tests.api.case import NOW, Seeded

FAULT = Fault(device="demo/fridge-1", family="condenser_airflow", fault="condenser_fan_wear", onset=0, failure=1)


class Broken:
    """An appliance whose fan is worn, until it was mended."""

    def find(self, device: str) -> list[Fault]:
        return [FAULT] if device == FAULT.device else []

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        del at, by
        return FAULT if (device, family) == (FAULT.device, FAULT.family) else None


class BadLine(httpx.HTTPTransport):
    """The server hears everything; the first answer to each POST does not come back."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[tuple[str, str]] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "POST":
            line = (request.url.path, request.headers["idempotency-key"])
            self.asked[line] += 1
            if self.asked[line] == 1:
                answer.close()
                raise httpx.ReadTimeout("the answer was lost")
        return answer


def test_a_visit_is_done_once_on_a_bad_line(base_url: str, seeded: Seeded, database_url: str) -> None:
    line = BadLine()
    headers = {"Authorization": f"Bearer {seeded.tokens['people']}"}
    with httpx.Client(base_url=base_url, transport=line, headers=headers, timeout=30) as client:
        people = People(HttpService(client), 7, Broken())
        late = to_micros(NOW + timedelta(days=30))
        # A lost answer is an error to them; at the next step they look again and go on.
        for _ in range(12):
            people.step(late)
    with connect(database_url, application="test") as conn:
        states = conn.execute("select state from visit").fetchall()
        lines = conn.execute(
            "select body->>'new', count(*) from ticket_event where kind = 'visit' group by 1 order by 1"
        ).fetchall()
        outcomes = conn.execute("select code, cause from outcome").fetchall()
    assert states == [("done",)]
    assert lines == [(state, 1) for state in ("confirmed", "dispatched", "done", "on_site", "travelling")]
    assert outcomes == [("repaired", "condenser_fan_wear")]
    assert len(line.asked) == 5
    assert people.tally.errors == 5


def test_dispatch_calls_back_and_its_task_is_done(base_url: str, seeded: Seeded) -> None:
    ticket = str(seeded.ticket)
    headers = {"Authorization": f"Bearer {seeded.tokens['dispatcher']}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=30) as client:
        service = HttpService(client)
        service.complain(ticket, "Nobody has called me.")
        (task,) = service.calls()
        assert (task.ticket, task.device, task.reason) == (ticket, "demo/fridge-1", "complaint")
        service.note_call(ticket, reached=False)
        assert [each.id for each in service.calls()] == [task.id]
        service.note_call(ticket, reached=True)
        assert service.calls() == []
        kept = client.get(f"/v1/tickets/{ticket}/levels").json()["clocks"]
    assert {one["policy"]: one["state"] for one in kept}["first_response"] == "met"


def test_owners_call_on_a_bad_line(base_url: str, seeded: Seeded, database_url: str) -> None:
    headers = {"Authorization": f"Bearer {seeded.tokens['people']}"}
    ticket = str(seeded.ticket)
    with httpx.Client(base_url=base_url, transport=BadLine(), headers=headers, timeout=30) as client:
        service = HttpService(client)
        calls: list[Callable[[], object]] = [
            lambda: service.report_fault("demo/fridge-1", "condenser_airflow", "It no longer works."),
            lambda: service.complain(ticket, "This is not the first visit for the same trouble."),
        ]
        # Twice in the same words; each is tried until it is answered, and counts once.
        for call in calls * 2:
            with pytest.raises(ServiceError, match="lost"):
                call()
            call()
    with connect(database_url, application="test") as conn:
        events = conn.execute(
            "select kind, count(*) from ticket_event where kind in ('owner_reported', 'complaint') group by 1"
        ).fetchall()
    assert sorted((str(kind), count) for kind, count in events) == [("complaint", 2), ("owner_reported", 2)]
