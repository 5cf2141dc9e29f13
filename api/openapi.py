"""The OpenAPI document of `/v1`, completed with what the conventions add to every route.

The framework describes parameters, bodies and answers. Added here, once for all routes: how to authorise, the headers
of answers, the problems that a route can answer with, and the shape of events.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, PROBLEMS, TYPE
from api.v1 import models
from api.v1.router import NEEDS_MATCH

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"
_STREAM = "text/event-stream"
_SIMULATOR = "simulator"
_HEADERS: Json = {
    "ETag": {"description": "names this state of the resource", "schema": {"type": "string"}},
    "Link": {"description": 'the next piece of a list, rel="next"', "schema": {"type": "string"}},
    "Content-Location": {"description": "the resource that the answer shows", "schema": {"type": "string"}},
    "Idempotency-Replayed": {"description": "`true`: this answer was given before", "schema": {"type": "string"}},
    "Retry-After": {"description": "seconds after which to repeat", "schema": {"type": "integer"}},
}
_TAGS = [
    {"name": "tickets", "description": "Cases of one device and fault family; at most one is open."},
    {"name": "visits", "description": "A technician's two hours at a household."},
    {"name": "board", "description": "One day of dispatch, and visits placed by hand; undone within ten seconds."},
    {"name": "plans", "description": "All visits of an organisation planned at once, accepted line by line."},
    {"name": "prices", "description": "Estimates, quotes and bills: told before, approved, never exceeded."},
    {"name": "warranty", "description": "A table of rules decides, with reasons; denials need evidence; appeals."},
    {"name": "reports", "description": "How well the service does."},
    {"name": "parts", "description": "Parts on order."},
    {"name": "contact", "description": "What owners say by any channel, calls, and who took a case on."},
    {"name": "levels", "description": "Promises and their clocks, calls to make, roster, channels, silences."},
    {"name": "notices", "description": "Messages to households."},
    {"name": "devices", "description": "Appliances, their health and their readings."},
    {"name": "findings", "description": "Fault episodes with their evidence."},
    {"name": "events", "description": "Changes, as they happen."},
    {"name": "webhooks", "description": "Changes, sent to your own systems: signed, in order, until they are taken."},
    {"name": "clock", "description": "Fleet time."},
    {"name": "health", "description": "For supervisors."},
]


def install(app: FastAPI) -> None:
    """Have the application answer with the completed document."""

    def document() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def describe(app: FastAPI) -> Json:
    """The whole document."""
    made: Json = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=_TAGS
    )
    made["servers"] = [{"url": "/"}]
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "made by `wellkept token new`"}
    }
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for model in (models.ProblemOut, models.ChangeOut):
        schemas[model.__name__] = model.model_json_schema(ref_template=_REF)
    for name, schema in schemas.items():
        # The framework leaves members that are null out of examples.
        if (known := getattr(models, name, None)) is not None:
            schema["examples"] = known.model_config["json_schema_extra"]["examples"]
    parts["headers"] = _HEADERS
    parts["responses"] = {_answer_name(status): _problem_answer(status) for status in _statuses()}
    for path, operations in made["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in operations.items():
                _complete(method, operation)
    return made


def _complete(method: str, operation: Json) -> None:
    operation["security"] = [{"bearer": []}]
    names = {each["name"] for each in operation.get("parameters", [])}
    answers = operation["responses"]
    answers.pop("422", None)
    streams = "Last-Event-ID" in names
    for status in _can_answer(method, names, operation, streams=streams):
        answers[str(status)] = {"$ref": f"#/components/responses/{_answer_name(status)}"}
    if streams:
        answers["200"] = {
            "description": "Events without end",
            "content": {_STREAM: {"schema": {"type": "string"}, "example": _event_example()}},
        }
        return
    headers = [name for name in ("ETag",) if method == "get" or "If-Match" in names]
    headers += ["Link"] if "cursor" in names else []
    headers += ["Content-Location"] if "If-Match" in names else []
    headers += ["Idempotency-Replayed"] if method != "get" else []
    done = next(status for status in answers if status.startswith("2"))
    if "cursor" in names:
        answers[done]["content"]["text/csv"] = {"schema": {"type": "string"}}
    answers[done]["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if method == "get":
        answers["304"] = {"description": "What you have is still so; no body"}


def _can_answer(method: str, names: set[str], operation: Json, *, streams: bool) -> list[int]:
    found = {401, 403, 429, 500, 503}
    if "cursor" in names or streams:
        found.add(400)
    if any(each["in"] == "path" for each in operation.get("parameters", [])):
        found.add(404)
    if _SIMULATOR in operation.get("tags", ()):
        found.add(409)  # none may run
    if method != "get":
        # A body may be unreadable, and may name what is not there.
        found |= {400, 404, 409, 413, 415}
    if "If-Match" in names:
        found |= {412, 428} if NEEDS_MATCH in operation else {412}
    if method != "get" or names:
        found.add(422)
    return sorted(found)


def _statuses() -> list[int]:
    return sorted({kind.status for kind in PROBLEMS.values()})


def _answer_name(status: int) -> str:
    return f"Problem{status}"


def _problem_answer(status: int) -> Json:
    kinds = {name: kind for name, kind in PROBLEMS.items() if kind.status == status}
    examples = {
        name: {
            "summary": kind.when,
            "value": {
                "type": TYPE + name,
                "title": kind.title,
                "status": status,
                "detail": kind.when,
                "instance": "/v1/…",
            },
        }
        for name, kind in kinds.items()
    }
    return {
        "description": "; ".join(kind.title for kind in kinds.values()),
        "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}} if status in (409, 429, 503) else {},
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemOut")}, "examples": examples}},
    }


def _event_example() -> str:
    example = models.ChangeOut.model_json_schema()["examples"][0]
    data = models.ChangeOut.model_validate(example).model_dump_json()
    return f"retry: 2000\nid: 4711\n\nid: 4712\nevent: {example['type']}\ndata: {data}\n\n: still here\nid: 4712\n\n"
