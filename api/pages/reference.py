"""The documents of our interfaces, and a page of the HTTP one for people: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api.pages.render import render
from api.pages.shell import staff_words
from telemetry.asyncapi import document as asyncapi_of

router = APIRouter(include_in_schema=False)
Json = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body."""

    name: str
    where: str
    kind: str
    needed: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    fields: list[Field]
    body: str
    answer: str
    statuses: list[tuple[str, str]]


@router.get("/asyncapi.json")
def messages(request: Request) -> Response:
    """The AsyncAPI document of the MQTT interface."""
    return JSONResponse(asyncapi_of(request.app.version))


@router.get("/docs")
def reference(request: Request) -> Response:
    """Every operation of the HTTP interface."""
    app: FastAPI = request.app
    document = app.openapi()
    tags = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    groups: dict[str, list[Operation]] = {name: [] for name in tags}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                found = operations[method]
                groups.setdefault((found.get("tags") or ["more"])[0], []).append(
                    _operation(document, method, path, found)
                )
    shown = [(name, tags.get(name, ""), each) for name, each in groups.items() if each]
    return render(request, "reference.html", staff_words(request, None), groups=shown, version=app.version)


def _operation(document: Json, method: str, path: str, found: Json) -> Operation:
    body = found.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    done = next((status for status in found["responses"] if status.startswith("2")), "")
    content = found["responses"].get(done, {}).get("content", {})
    answer: Json = next(iter(content.values()), {})
    told = {status: _follow(document, each) for status, each in found["responses"].items()}
    return Operation(
        id=str(found["operationId"]),
        method=method.upper(),
        path=path,
        summary=str(found.get("summary", "")),
        about=str(found.get("description", "")),
        fields=[_parameter(document, each) for each in found.get("parameters", [])] + _members(document, body),
        body=_example(document, body),
        answer=str(answer["example"]) if "example" in answer else _example(document, answer.get("schema", {})),
        statuses=[(status, str(each.get("description", ""))) for status, each in told.items()],
    )


def _parameter(document: Json, given: Json) -> Field:
    about, kind = str(given.get("description", "")), _kind(document, given.get("schema", {}))
    return Field(given["name"], given["in"], kind, given.get("required", False), about)


def _members(document: Json, body: Json) -> list[Field]:
    schema = _full(document, body)
    needed = schema.get("required", ())
    return [
        Field(name, "body", _kind(document, each), name in needed, str(each.get("description", "")))
        for name, each in schema.get("properties", {}).items()
    ]


def _kind(document: Json, schema: Json) -> str:
    """A type in few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(_kind(document, each) for each in schema[word])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{_kind(document, schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("type") or "any")


def _example(document: Json, schema: Json) -> str:
    """An example of a schema as text; empty where it has none."""
    found = _example_of(document, schema)
    return "" if found is None else json.dumps(found, indent=2, ensure_ascii=False)


def _example_of(document: Json, schema: Json) -> Any:  # noqa: ANN401  (JSON values)
    schema = _full(document, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "array":
        inside = _example_of(document, schema.get("items", {}))
        return None if inside is None else [inside]
    if "properties" in schema:
        made = {name: _example_of(document, each) for name, each in schema["properties"].items()}
        return made if any(value is not None for value in made.values()) else None
    return None


def _full(document: Json, schema: Json) -> Json:
    """A schema behind its reference, without the choice to be null."""
    schema = _follow(document, schema)
    full = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _follow(document, full[0]) if len(full) == 1 else schema


def _follow(document: Json, part: Json) -> Json:
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part
