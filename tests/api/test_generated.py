"""Requests that nobody thought of: every operation of the OpenAPI document, by what the document says of it.

Schemathesis makes the requests, ones that fit and ones that do not; the application answers them on a real database.
No answer is an error of the server, none has a status that the document does not know, and each has the form that the
document promises. Own objects are named half of the time, so that what stands behind a 404 is reached too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from api.app import create_app
from api.settings import Settings
from tests.api.case import WALL, Seeded
from tests.api.inside import Inside
from tests.api.walk import samples

_QUIET = list(HealthCheck)
_OWN_HEADERS = ("authorization", "content-type", "host", "content-length")


class Fuzz:
    """The application, its document, and what is wrong with its answers."""

    def __init__(self, client: Inside, seeded: Seeded) -> None:
        self.client = client
        self.document = client.request("GET", "/openapi.json").json()
        self.own = samples(seeded)
        self.auth = f"Bearer {seeded.tokens['admin']}"
        self.wrong: list[str] = []
        self.seen: dict[int, int] = {}
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def send(self, case: Case[Any], *, own: bool) -> None:
        """Send a generated request and judge its answer."""
        path = case.path.format(**self.own) if own else str(case.formatted_path)
        headers = {
            name: value
            for name, value in dict(case.headers or {}).items()
            if name.lower() not in _OWN_HEADERS and isinstance(value, str)
        }
        given_body: dict[str, Any] = {}
        if case.media_type is not None and not repr(case.body).startswith("<"):
            raw = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
            given_body = {"content": raw, "headers": {"Content-Type": "application/json"}}
        try:
            answer = self.client.request(
                case.method,
                path,
                params=_flat(case.query),
                headers={**headers, **given_body.pop("headers", {}), "Authorization": self.auth},
                **given_body,
            )
        except (UnicodeEncodeError, httpx.InvalidURL):
            return  # no client can send it
        self.seen[answer.status_code] = self.seen.get(answer.status_code, 0) + 1
        fault = self.judge(case, answer)
        if fault is not None:
            asked = f"{case.method} {path} {_flat(case.query)} {headers} {str(given_body.get('content'))[:300]}"
            self.wrong.append(f"{asked}\n  {answer.status_code} {answer.text[:300]}\n  {fault}")

    def judge(self, case: Case[Any], answer: httpx.Response) -> str | None:
        """What is wrong with an answer, or None."""
        if answer.status_code >= 500:
            return "an error of the server"
        told = self.document["paths"][case.path][case.method.lower()]["responses"]
        said = told.get(str(answer.status_code))
        if said is None:
            return f"the document knows {sorted(told)} only"
        if "$ref" in said:
            said = self.document["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not answer.content:
            return None
        if kind not in said.get("content", {}):
            return f"{kind!r} is not told of this status"
        schema = said["content"][kind].get("schema")
        if schema is None or not kind.endswith("json"):
            return None
        return next((str(each.message) for each in self._validator(schema).iter_errors(answer.json())), None)

    def _validator(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]


def _flat(query: Mapping[str, Any] | None) -> dict[str, Any]:
    """A query as clients write it."""
    return {
        str(name): value if isinstance(value, str | int | float | bool) else json.dumps(value)
        for name, value in (query or {}).items()
    }


@pytest.fixture
def fuzz(module_url: str, seeded: Seeded) -> Iterator[Fuzz]:
    made = Settings(database_url=module_url, pool_size=2, streams_most=0, rate_per_s=1e6)
    app = create_app(made, wall=lambda: WALL)
    with Inside(app) as client:
        yield Fuzz(client, seeded)
    app.state.context.pool.close()


def _run(fuzz: Fuzz, fitting: int, unfit: int) -> None:
    schema = schemathesis.openapi.from_dict(fuzz.document)
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # an operation that is wrong raises
        if not operation.path.startswith("/v1/"):
            continue
        for mode, examples in ((GenerationMode.POSITIVE, fitting), (GenerationMode.NEGATIVE, unfit)):
            _send_some(fuzz, operation.as_strategy(generation_mode=mode), examples)


def _send_some(fuzz: Fuzz, cases: st.SearchStrategy[Case[Any]], examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=_QUIET,
    )
    @given(case=cases, own=st.booleans())
    def send(case: Case[Any], own: bool) -> None:  # noqa: FBT001  (drawn)
        fuzz.send(case, own=own)

    send()


def test_no_generated_request_is_answered_wrongly(fuzz: Fuzz) -> None:
    _run(fuzz, 2, 1)
    assert not fuzz.wrong, "\n".join(fuzz.wrong)
    assert {200, 404, 422} <= fuzz.seen.keys()


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_many_generated_requests_are_answered_as_told(fuzz: Fuzz) -> None:
    _run(fuzz, 60, 40)
    assert not fuzz.wrong, "\n".join(fuzz.wrong)
