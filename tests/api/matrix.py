"""Who may do what, route by route: the reviewed copy (`matrix.toml`) and what the application itself says.

`python -m tests.api.matrix` prints the rows of routes that nobody has declared, and writes the tables of
`docs/access.md` anew.
"""

from __future__ import annotations

import inspect
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI, UploadFile, routing
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant

from api.app import create_app
from api.auth import ASKS_FOR, RIGHTS, Right, bearer, staff
from api.pages.door import open_door, valid_link
from api.pages.home_door import open_home
from api.settings import Settings
from storage.access import Role
from tests.api.walk import NOWHERE

FILE = Path(__file__).with_name("matrix.toml")
DOCS = Path(__file__).parents[2] / "docs" / "access.md"
_BEGIN, _END = "<!-- routes: begin -->", "<!-- routes: end -->"
_OF_LINK = (open_door, open_home, valid_link)
_STAFF = (Role.ADMIN, Role.DISPATCHER, Role.TECHNICIAN, Role.ENGINEER, Role.READ_ONLY)
SESSION_ROLES = frozenset(_STAFF)
"""Roles that people of ours may have; only they sign in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation of the application and what it asks for.

    Attributes:
        door: public, link (an owner's), token (bearer) or session (staff).
        right: the right asked for; None where being let in is enough.
        form: fields that it needs, each with something that can be read.
        files: fields that are files.
    """

    method: str
    path: str
    door: str
    right: Right | None
    form: Mapping[str, str] = field(default_factory=dict, compare=False)
    files: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def asks(self) -> str:
        return self.door if self.right is None else f"{self.door} {self.right}"

    @property
    def roles(self) -> frozenset[Role]:
        """Who is let in and holds the right."""
        holds = frozenset(Role) if self.right is None else RIGHTS[self.right]
        return holds & SESSION_ROLES if self.door == "session" else holds


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def entries(app: FastAPI) -> list[Entry]:
    """Every operation that the application answers, static files included, by its own dependencies."""
    found = []
    for context in routing.iter_route_contexts(app.routes):
        methods = set(getattr(context, "methods", None) or {"GET"}) - {"HEAD"}
        dependant: Dependant | None = getattr(context, "dependant", None)
        calls = list(_calls(dependant)) if dependant is not None else []
        rights = {getattr(call, ASKS_FOR) for call in calls if hasattr(call, ASKS_FOR)}
        assert len(rights) <= 1, f"{context.path} asks for several rights: {rights}"
        form = {} if dependant is None or str(context.path).startswith("/v1/") else _form(dependant)
        files = () if dependant is None else tuple(each.alias for each in _all_fields(dependant) if _is_file(each))
        right = next(iter(rights), None)
        found += [Entry(m, str(context.path), _door(calls), right, form, files) for m in sorted(methods)]
    return found


def _door(calls: list[Any]) -> str:
    if bearer in calls:
        return "token"
    if staff in calls:
        return "session"
    return "link" if any(call in _OF_LINK for call in calls) else "public"


def _form(dependant: Dependant) -> dict[str, str]:
    """Fields of a page's form that have no default."""
    found = _all_fields(dependant)
    return {
        each.alias: _something(each.field_info.annotation) for each in found if _needed(each) and not _is_file(each)
    }


def _all_fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.body_params
    for each in dependant.dependencies:
        yield from _all_fields(each)


def _is_file(param: ModelField) -> bool:
    return param.field_info.annotation is UploadFile


def _needed(param: ModelField) -> bool:
    return param.field_info.is_required()


def _something(kind: object) -> str:
    """A value of a kind, as forms write it."""
    if typing.get_origin(kind) is typing.Literal:
        return str(typing.get_args(kind)[0])
    if typing.get_origin(kind) is list:
        return _something(typing.get_args(kind)[0])
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    known = {UUID: NOWHERE, int: "1", bool: "true", datetime: "2026-11-20T00:00:00Z"}
    return next((text for each, text in known.items() if kind is each), "x")


def declared() -> Mapping[str, Any]:
    """The reviewed copy."""
    return tomllib.loads(FILE.read_text())


def line_of(entry: Entry) -> str:
    """The row of `[routes]` that declares an operation."""
    return f'"{entry.name}" = "{entry.asks}"'


def tables(found: list[Entry], narrower: Mapping[str, str]) -> str:
    """What `docs/access.md` shows of them."""
    lines = [
        "| right | " + " | ".join(role.value.replace("_", " ") for role in Role) + " |",
        "|---|" + "---|" * len(Role),
    ]
    for right, roles in RIGHTS.items():
        marks = " | ".join("yes" if role in roles else "" for role in Role)
        lines.append(f"| `{right}` | {marks} |")
    lines += ["", "| route | opened by | right | and |", "|---|---|---|---|"]
    for each in sorted(found, key=lambda e: (e.path, e.method)):
        asked = "" if each.right is None else f"`{each.right}`"
        lines.append(f"| `{each.name}` | {each.door} | {asked} | {narrower.get(each.name, '')} |")
    return "\n".join(lines)


def block_of(page: str) -> str:
    """The part of the page that is written here."""
    return page.partition(_BEGIN)[2].partition(_END)[0].strip()


def main() -> None:
    """Print what is missing, write the page."""
    app = create_app(Settings(database_url="postgresql://127.0.0.1:1/none"))
    app.state.context.pool.close()
    table = declared()
    found = entries(app)
    for each in found:
        if table["routes"].get(each.name) != each.asks:
            print(line_of(each))  # noqa: T201  (a command)
    page = DOCS.read_text()
    head, _, rest = page.partition(_BEGIN)
    DOCS.write_text(f"{head}{_BEGIN}\n{tables(found, table['narrower'])}\n{_END}{rest.partition(_END)[2]}")


if __name__ == "__main__":
    main()
