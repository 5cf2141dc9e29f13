"""The client: patience, keys, problems, lists, the stream of events, webhooks; and it fits the document."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from standardwebhooks import Webhook

from api.documents import openapi_document
from client import (
    BusyError,
    ChangedError,
    ClientError,
    ForbiddenError,
    IllegalMoveError,
    InvalidError,
    NotFoundError,
    Patience,
    ProblemError,
    Told,
    UnauthorisedError,
    UnreachableError,
    WebhookError,
    Wellkept,
    read_webhook,
    types,
)
from client.generate import write
from client.problems import problem_of

ROOT = Path(__file__).parents[2]
CLOCK = {
    "rev": 1,
    "wall": "2026-11-22T05:00:00Z",
    "fleet": "2026-11-18T01:30:00Z",
    "speed": 1,
    "now": "2026-11-18T01:30:00Z",
}
PROBLEM = "https://wellkept.invalid/problems/"
Answer = Callable[[httpx.Request], httpx.Response]


class Service:
    """Answers one after the other, the last one again and again; keeps what it is asked."""

    def __init__(self, *answers: Answer | httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else answer(request)

    def client(self, tries: int = 4) -> Wellkept:
        patience = Patience(tries=tries, sleep=self.slept.append, spread=lambda: 0.5)
        return Wellkept("http://desk", "secret", patience=patience, transport=httpx.MockTransport(self))


def problem(status: int, kind: str, **members: Any) -> httpx.Response:  # noqa: ANN401  (JSON values)
    body = {"type": PROBLEM + kind, "title": kind, "status": status, "detail": "why", "instance": "/", **members}
    return httpx.Response(status, json=body)


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("the answer was lost", request=request)


def test_a_busy_service_is_asked_again_when_it_says() -> None:
    busy = httpx.Response(429, json={"type": PROBLEM + "too-many-requests"}, headers={"Retry-After": "3"})
    service = Service(busy, httpx.Response(503, text="no"), lost, httpx.Response(200, json=CLOCK))
    assert service.client().clock().rev == 1
    assert service.slept == [3.0, 0.4, 0.8]
    assert {each.headers["authorization"] for each in service.asked} == {"Bearer secret"}
    patient = Service(busy)
    with pytest.raises(BusyError) as refused:
        patient.client(tries=2).clock()
    assert (refused.value.retry_after, len(patient.asked)) == (3.0, 2)
    far = Service(httpx.Response(503, headers={"Retry-After": "7200"}))
    with pytest.raises(BusyError):
        far.client().clock()
    assert far.slept == []


def test_a_change_whose_answer_was_lost_is_repeated_with_its_key() -> None:
    shown = {"id": "1", "ref": "x"}
    service = Service(lost, problem(409, "illegal-move", state="open", legal=["hold", "cancelled"], **shown))
    with pytest.raises(IllegalMoveError) as refused:
        service.client().ticket_move("a/b?c", types.MoveIn(to="closed"))
    assert (refused.value.legal, refused.value.state) == (("hold", "cancelled"), "open")
    first, second = service.asked
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.url.raw_path == b"/v1/tickets/a%2Fb%3Fc/moves"
    assert first.content == b'{"to":"closed"}'
    with pytest.raises(UnreachableError):
        Service(lost).client(tries=1).visit_confirm("v", key="mine")
    service = Service(httpx.Response(200, json={}))
    with pytest.raises(UnreachableError, match="not understood"):
        service.client(tries=1).visit_confirm("v", key="mine")
    assert service.asked[0].headers["idempotency-key"] == "mine"


def test_problems_have_types() -> None:
    kinds: dict[tuple[int, str], type[ProblemError]] = {
        (401, "unauthorised"): UnauthorisedError,
        (403, "forbidden"): ForbiddenError,
        (404, "not-found"): NotFoundError,
        (412, "precondition-failed"): ChangedError,
        (422, "invalid"): InvalidError,
        (500, "internal"): ProblemError,
    }
    for (status, kind), wanted in kinds.items():
        with pytest.raises(wanted) as refused:
            Service(
                problem(status, kind, errors=[{"where": "body.to"}], etag='"x"', present={"state": "open"})
            ).client().clock()
        assert type(refused.value) is wanted
        assert (refused.value.kind, refused.value.status) == (kind, status)
    changed = problem_of(412, {"type": PROBLEM + "precondition-failed", "etag": '"x"', "present": {"a": 1}}, None)
    assert isinstance(changed, ChangedError)
    assert (changed.etag, changed.present) == ('"x"', {"a": 1})
    bare = Service(httpx.Response(502, text="<html>bad gateway"))
    with pytest.raises(ProblemError, match="502"):
        bare.client().clock()


def test_what_was_seen_can_be_changed_only_as_it_was_seen() -> None:
    service = Service(httpx.Response(200, json=CLOCK, headers={"ETag": '"abc"'}))
    desk = service.client()
    seen = desk.seen(desk.clock)
    assert (seen.value.rev, seen.etag) == (1, '"abc"')
    with pytest.raises(UnreachableError):
        desk.ticket_move("t", types.MoveIn(to="hold"), if_match=seen.etag)
    assert service.asked[-1].headers["if-match"] == '"abc"'


def test_lists_are_read_to_their_end_with_their_filters() -> None:
    def piece(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params.get("cursor", "0"))
        row = {"id": f"demo/{at}", "org": "demo", "device": str(at), "kind": "x", "health": "ok"}
        row["registered"] = "2026-11-18T01:30:00Z"
        return httpx.Response(200, json={"items": [row], "next": str(at + 1) if at < 2 else None})

    service = Service(piece)
    desk = service.client()
    rows = list(desk.every(desk.devices, limit=1))
    assert [each.device for each in rows] == ["0", "1", "2"]
    assert {each.url.params["limit"] for each in service.asked} == {"1"}


def test_the_stream_of_events_comes_back_behind_what_was_seen() -> None:
    change = msgspec.json.encode(
        {"type": "ticket", "id": "t", "what": "changed", "state": "open", "was": None, "href": None, "ticket": None}
    ).decode()
    pieces = [
        f"retry: 2000\nid: 7\n\nid: 8\nevent: ticket\ndata: {change}\n\n: still here\nid: 11\n\n",
        f"id: 12\nevent: ticket\ndata: {change}\n\n",
        "id: 900\nevent: reset\ndata: {}\n\n",
    ]
    service = Service(*(httpx.Response(200, text=each) for each in pieces), problem(401, "unauthorised"))
    stream = service.client().events(after=5, types=["ticket", "visit"])
    told: list[Told] = []
    with pytest.raises(UnauthorisedError):  # noqa: PT012  (what came before the refusal counts)
        for each in stream:
            told.append(each)  # noqa: PERF402  (likewise)
    assert [(each.no, each.change is None) for each in told] == [(8, False), (12, False), (900, True)]
    assert [each.headers["last-event-id"] for each in service.asked] == ["5", "11", "12", "900"]
    assert {each.url.params["types"] for each in service.asked} == {"ticket,visit"}
    first = told[0].change
    assert first is not None
    assert first.state == "open"


def test_a_webhook_is_proven_before_it_is_read() -> None:
    secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105  (a test's)
    data = {"type": "visit", "id": "v", "what": "changed", "state": "confirmed", "was": "proposed", "no": 5}
    event = {
        "specversion": "1.0",
        "id": "change-5",
        "source": "urn:wellkept:demo",
        "type": "wellkept.visit.changed",
        "subject": "v",
        "time": "2026-11-22T05:00:00Z",
        "sequence": "5",
        "data": data,
    }
    body, now = msgspec.json.encode(event), datetime.now(UTC)

    def headers(at: datetime) -> dict[str, str]:
        signature = Webhook(secret).sign("change-5", at, body.decode())
        return {"Webhook-Id": "change-5", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}

    told = read_webhook(secret, headers(now), body)
    assert told.change is not None
    assert (told.id, told.change.state) == ("change-5", "confirmed")
    for other, given, sent in (
        (secret, headers(now), body + b" "),
        (secret, headers(now - timedelta(minutes=6)), body),
        (secret, {}, body),
        ("whsec_AAAA", headers(now), body),
    ):
        with pytest.raises(WebhookError):
            read_webhook(other, given, sent)
    assert issubclass(WebhookError, ClientError)


def test_the_client_is_what_the_document_says(tmp_path: Path) -> None:
    """Where it fails after a route was added: `make client`."""
    document = openapi_document()
    write(document, tmp_path)
    for verb in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run(  # noqa: S603  (our own tool)
            [
                str(Path(sys.executable).with_name("ruff")),
                *verb,
                "--config",
                str(ROOT / "pyproject.toml"),
                str(tmp_path),
            ],
            capture_output=True,
            check=False,
        )
    made = {each.relative_to(tmp_path): each.read_text() for each in tmp_path.rglob("*.py")}
    kept = {
        each.relative_to(ROOT / "client"): each.read_text()
        for folder in ("types", "routes")
        for each in (ROOT / "client" / folder).rglob("*.py")
    }
    assert made.keys() == kept.keys(), "run `make client`"
    for name, text in made.items():
        assert kept[name] == text, f"client/{name} is not what the document says: run `make client`"
    operations = {
        operation["operationId"]
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if path.startswith("/v1/") and path != "/v1/events"
    }
    assert {name for name in operations if not inspect.isfunction(getattr(Wellkept, name, None))} == set()
