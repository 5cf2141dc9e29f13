"""Walks over every route of `/v1` that an application has and checks its conventions. New routes are in it by being
there.

A route that takes a path parameter or a body of its own kind needs a sample of it: a missing one fails with its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from api.problems import PROBLEMS, TYPE
from tests.api.case import ORG, Seeded

NOWHERE = "00000000-0000-7000-8000-000000000000"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_SPELLED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_VERBS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the document.

    Attributes:
        method: in capitals.
        template: the address with its parameters.
        parameters: names by where they are (path, query, header).
        description: as in the document.
    """

    method: str
    template: str
    parameters: Mapping[str, frozenset[str]]
    description: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        return "cursor" in self.parameters["query"]

    @property
    def is_stream(self) -> bool:
        return "Last-Event-ID" in self.parameters["header"]

    def path(self, samples: Mapping[str, str]) -> str:
        missing = self.parameters["path"] - samples.keys()
        assert not missing, f"{self.template} needs samples of {missing} in tests/api/walk.py"
        return self.template.format(**samples)


def samples(seeded: Seeded) -> dict[str, str]:
    return {
        "org": ORG,
        "device": "fridge-1",
        "ticket": str(seeded.ticket),
        "visit": str(seeded.visit),
        "household": str(seeded.household),
        "finding": seeded.finding.id,
        "plan": str(seeded.plan),
        "quote": str(seeded.quote),
        "photo": str(seeded.photo),
        "webhook": str(seeded.webhook),
        "delivery": str(seeded.delivery),
        "serial": "LX260-004217",
        "technician": str(seeded.technician),
        "day": "2026-11-19",
        "line": "1",
        "form": "csv",
    }


def strangers() -> dict[str, str]:
    return {
        "org": ORG,
        "device": "fridge-x",
        "ticket": NOWHERE,
        "household": NOWHERE,
        "visit": NOWHERE,
        "finding": NOWHERE,
        "plan": NOWHERE,
        "quote": NOWHERE,
        "photo": NOWHERE,
        "webhook": NOWHERE,
        "delivery": NOWHERE,
        "serial": "XX000-000000",
        "technician": NOWHERE,
        "day": "2026-11-19",
        "line": "1",
        "form": "csv",
    }


def routes_of(document: Mapping[str, Any]) -> Iterator[Route]:
    for template, operations in document["paths"].items():
        if template.startswith("/v1/"):
            for method, description in operations.items():
                where = {"path": set[str](), "query": set[str](), "header": set[str]()}
                for each in description.get("parameters", []):
                    where[each["in"]].add(each["name"])
                yield Route(method.upper(), template, {k: frozenset(v) for k, v in where.items()}, description)


def is_problem(answer: httpx.Response, status: int, kind: str | None = None) -> dict[str, Any]:
    """The answer is a problem of the list, with the headers and members that all have."""
    assert answer.status_code == status, (answer.request.method, answer.request.url, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    word = body["type"].removeprefix(TYPE)
    assert PROBLEMS[word].status == status == body["status"]
    assert PROBLEMS[word].title == body["title"]
    assert body["detail"]
    assert body["instance"] == answer.request.url.path
    assert kind is None or word == kind, body
    for inside in ("Traceback", "psycopg", "select ", "SQL", "/api/", ".py"):
        assert inside not in answer.text
    return body


def times_are_spelled(value: object) -> int:
    """Every time in an answer is RFC 3339 in UTC with Z. Returns how many there are."""
    if isinstance(value, dict):
        return sum(map(times_are_spelled, value.values()))
    if isinstance(value, list):
        return sum(map(times_are_spelled, value))
    if isinstance(value, str) and _TIME.match(value):
        assert _SPELLED.fullmatch(value), value
        return 1
    return 0


def check_refusals(
    client: httpx.Client, route: Route, here: Mapping[str, str], auth: Mapping[str, str], body: object
) -> None:
    """What every route refuses: strangers, wrong methods, objects that are not there, unreadable input."""
    path = route.path(here)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}):
        answer = client.request(route.method, path, headers=headers)
        is_problem(answer, 401, "unauthorised")
        assert answer.headers["www-authenticate"] == "Bearer"
    wrong = client.request("TRACE", path, headers=auth)
    is_problem(wrong, 405, "method-not-allowed")
    assert set(wrong.headers["allow"].replace(" ", "").split(",")) <= _VERBS
    is_problem(client.request(route.method, path + "/nowhere/at/all", headers=auth), 404, "not-found")
    if route.parameters["path"] - {"org"}:
        away = client.request(route.method, route.path(strangers()), headers=auth, json=body)
        is_problem(away, 404, "not-found")
    if "ticket" in route.parameters["path"] or "visit" in route.parameters["path"]:
        odd = client.request(route.method, route.path(dict.fromkeys(here, "not-a-uuid")), headers=auth)
        assert any(each["where"].startswith("path.") for each in is_problem(odd, 422, "invalid")["errors"])


def check_reading(client: httpx.Client, route: Route, here: Mapping[str, str], auth: Mapping[str, str]) -> None:
    """What every GET has: a strong ETag, 304, times in UTC, and no cache that does not ask."""
    path = route.path(here)
    answer = client.get(path, headers=auth)
    assert answer.status_code == 200, (path, answer.text)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == ("Authorization, Accept" if route.is_list else "Authorization")
    etag = answer.headers["etag"]
    assert re.fullmatch(r'"[\w-]{20}"', etag)
    times_are_spelled(answer.json())
    for given in (etag, f'"another", {etag}', f"W/{etag}", "*"):
        again = client.get(path, headers={**auth, "If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    other = client.get(path, headers={**auth, "If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, answer.content)
    if route.is_list:
        _check_list(client, path, auth)


def _check_list(client: httpx.Client, path: str, auth: Mapping[str, str]) -> None:
    whole = client.get(path, headers=auth).json()
    assert set(whole) == {"items", "next"}
    for limit in ("0", "-1", "99999", "x"):
        refused = is_problem(client.get(path, params={"limit": limit}, headers=auth), 422, "invalid")
        assert refused["errors"][0]["where"] == "query.limit"
    for cursor in ("nonsense", "AAAA", "A" * 40, "é"):
        is_problem(client.get(path, params={"cursor": cursor}, headers=auth), 400, "bad-cursor")
    items: list[Any] = []
    url: str | None = f"{path}?limit=1"
    while url is not None:
        piece = client.get(url, headers=auth)
        assert len(piece.json()["items"]) <= 1
        items += piece.json()["items"]
        url = piece.links["next"]["url"] if "next" in piece.links else None
        assert (url is None) == (piece.json()["next"] is None)
        assert len(items) <= 500
    assert items[: len(whole["items"])] == whole["items"]
    assert (len(items) > len(whole["items"])) == (whole["next"] is not None)


def check_changing(
    client: httpx.Client, route: Route, here: Mapping[str, str], auth: Mapping[str, str], body: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What every POST has: JSON only, keys that repeat the answer, If-Match, and the resource's new state."""
    path = route.path(here)
    assert "Idempotency-Key" in route.parameters["header"], f"{route.template} takes no Idempotency-Key"
    is_problem(
        client.request(route.method, path, headers={**auth, "Content-Type": "text/plain"}, content="x"),
        415,
        "unsupported-media-type",
    )
    for key in ("", "with space", "x" * 256):
        refused = client.request(route.method, path, headers={**auth, "Idempotency-Key": key}, json=body)
        is_problem(refused, 422, "invalid")
    needs_match = "x-needs-if-match" in route.description
    if body is not None and "requestBody" in route.description:
        _check_bodies(client, route, path, auth, body)
    headers = {**auth, "Idempotency-Key": f"key-of-{route.template}"}
    if "If-Match" in route.parameters["header"]:
        resource = "/".join(path.split("/")[:4])
        present = client.get(resource, headers=auth)
        stale = is_problem(
            client.request(route.method, path, headers={**headers, "If-Match": '"old"'}, json=body),
            412,
            "precondition-failed",
        )
        assert stale["etag"] == present.headers["etag"]
        assert stale["present"] == present.json()
        weak = client.request(route.method, path, headers={**headers, "If-Match": f"W/{stale['etag']}"}, json=body)
        is_problem(weak, 412, "precondition-failed")
        if needs_match:
            bare = client.request(route.method, path, headers=headers, json=body)
            is_problem(bare, 428, "precondition-required")
        headers["If-Match"] = stale["etag"]
    done = client.request(route.method, path, headers=headers, json=body)
    assert done.status_code in (200, 201), done.text
    assert "idempotency-replayed" not in done.headers
    times_are_spelled(done.json())
    if "If-Match" in route.parameters["header"]:
        shown = client.get(done.headers["content-location"], headers=auth)
        assert (shown.content, shown.headers["etag"]) == (done.content, done.headers["etag"])
    again = client.request(route.method, path, headers=headers, json=body)
    assert again.headers.pop("idempotency-replayed") == "true"
    assert (again.status_code, again.content) == (done.status_code, done.content)
    assert _kept(again) == _kept(done)
    elsewhere = client.request(route.method, path, params={"other": "1"}, headers=headers, json=body)
    is_problem(elsewhere, 422, "key-reused")
    result: dict[str, Any] = done.json()
    return result


def _kept(answer: httpx.Response) -> dict[str, str]:
    """The headers that a repeated answer has again."""
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}


def _check_bodies(
    client: httpx.Client, route: Route, path: str, auth: Mapping[str, str], body: Mapping[str, Any]
) -> None:
    unknown = is_problem(client.request(route.method, path, headers=auth, json={**body, "zz": 1}), 422, "invalid")
    assert {"where": "body.zz", "pointer": "#/zz"}.items() <= unknown["errors"][0].items()
    wrongs: list[object] = [[], "x", 1, None]
    for wrong in wrongs:
        is_problem(client.request(route.method, path, headers=auth, json=wrong), 422, "invalid")
    broken = client.request(
        route.method, path, headers={**auth, "Content-Type": "application/json"}, content=b'{"secret": '
    )
    assert "secret" not in is_problem(broken, 422, "invalid")["detail"]
    nul = {name: value + "\0" if isinstance(value, str) else value for name, value in body.items()}
    if nul != body:
        is_problem(client.request(route.method, path, headers=auth, json=nul), 422)
    big = client.request(route.method, path, headers=auth, json={**body, "zz": "x" * 1_100_000})
    is_problem(big, 413, "too-large")
