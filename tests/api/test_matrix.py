"""Every route of the application × every role × own, foreign and missing objects.

Each request is made to the real application over a real database; its transaction is rolled back behind it, so that
every request meets the same case. A dispatcher of the region, of another region, of another organisation, the
technician of the visit and another one, the owner and another household: who is outside asks for the same objects,
and must be told exactly what is told of objects that are not there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.auth import SESSION_COOKIE, Throttle
from api.settings import Settings
from servicedesk.model import Household
from storage.access import Role, create_owner_link, create_staff, create_token, open_session
from storage.desk import register_household
from storage.pool import Connection, connect
from storage.read_desk import get_visit
from storage.read_models import EVERYTHING
from telemetry.clock import to_datetime
from tests.api.case import DAY, NOW, ORG, WALL, Seeded, picture
from tests.api.inside import Inside
from tests.api.matrix import DOCS, Entry, block_of, declared, entries, line_of, tables
from tests.api.test_contract import bodies
from tests.api.walk import NOWHERE, samples, strangers

HERE, AWAY = "North", "South"
_MISSING_REF = "WK-9999"
_VARIES = frozenset({"x-request-id", "date", "etag"})
_NO_LINK = "x" * 32
_ORG_WIDE = frozenset({"{plan}", "{technician}"})


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks.

    Attributes:
        inside: whether the case is theirs.
        secret: of a token, session or link; empty without any.
    """

    name: str
    door: str
    role: Role
    inside: bool
    secret: str


def _set_up(conn: Connection, seeded: Seeded) -> None:
    """What owners see has to be there: a quote that was sent, a survey that was asked."""
    conn.execute("update quote set state = 'sent' where id = %s", (seeded.quote,))
    conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))


def _principals(conn: Connection, seeded: Seeded) -> list[Who]:
    wall = to_datetime(WALL)
    visit = get_visit(conn, EVERYTHING, seeded.visit)
    assert visit is not None
    other = conn.execute("select id from technician where id <> %s limit 1", (visit.technician,)).fetchone()
    assert other is not None
    stranger = UUID(int=77)
    away = Household(id=stranger, org=ORG, name="Wu", lang="en", tz="UTC", registered=NOW - 9 * DAY, area=AWAY)
    register_household(conn, away, email="wu@example.org")
    reaches: list[tuple[str, bool, dict[str, Any]]] = [
        ("here", True, {"org": ORG, "areas": [HERE]}),
        ("of another area", False, {"org": ORG, "areas": [AWAY]}),
        ("of another organisation", False, {"org": "elsewhere"}),
    ]
    found = []
    for role in Role:
        if role is Role.OWNER:
            links: tuple[tuple[str, bool, dict[str, Any]], ...] = (
                ("household", True, {"household": seeded.household}),
                ("single case", True, {"ticket": seeded.ticket}),
                ("another household", False, {"household": stranger}),
            )
            for name, inside, scope in links:
                link = create_owner_link(conn, now=NOW, **scope)
                found += [Who(f"owner, {name}", door, role, inside, link) for door in ("token", "link")]
            continue
        own = [("own", True, visit.technician), ("another", False, other[0])] if role is Role.TECHNICIAN else []
        roads: list[tuple[str, bool, dict[str, Any]]] = [(n, inside, {"technician": who}) for n, inside, who in own]
        mine = roads or reaches
        for number, (name, inside, scope) in enumerate(mine):
            text: dict[str, Any] = {key: str(value) if key == "technician" else value for key, value in scope.items()}
            secret = create_token(conn, role, now=wall, **text)
            found.append(Who(f"{role}, {name}", "token", role, inside, secret))
            if role not in (Role.PEOPLE, Role.INTEGRATION):
                login = f"{role.value.replace('_', '-')}.{number}"
                create_staff(conn, login, now=wall, role=role, **scope)
                row = conn.execute("select id from staff_user where login = %s", (login,)).fetchone()
                assert row is not None
                session = open_session(conn, UUID(str(row[0])), now=wall)
                found.append(Who(f"{role}, {name}", "session", role, inside, session))
    return found


class World:
    """The application, everybody who asks, and the objects."""

    def __init__(self, client: Inside, seeded: Seeded, people: list[Who]) -> None:
        self.client = client
        self.people = people
        self.table = declared()
        own, missing = samples(seeded), strangers()
        link = next(each.secret for each in people if each.name == "owner, household")
        self.own = {**own, "ref": seeded.ref, "token": link, "form": "csv"}
        self.missing = {**missing, "serial": "XX000-000000", "ref": _MISSING_REF, "token": _NO_LINK, "form": "csv"}
        bare = {"device": "fridge-x", "photo": NOWHERE, "visit": NOWHERE, "finding": NOWHERE, "plan": NOWHERE}
        self.marks = sorted({*self.own.values(), *self.missing.values(), *bare.values()} - {"1", ORG, "csv"}, key=len)[
            ::-1
        ]
        self.secrets = [str(seeded.ticket), seeded.ref, str(seeded.visit), str(seeded.household), str(seeded.quote)]

    def ask(self, entry: Entry, who: Who | None, objects: Mapping[str, str]) -> httpx.Response:
        """One request by somebody, about some objects."""
        missing = {part[1:-1] for part in entry.path.split("/") if part.startswith("{")} - objects.keys()
        assert not missing, f"{entry.name} needs samples of {missing} in tests/api/walk.py"
        body = {**entry.form, **self.filled(entry, objects)}
        if who is not None and who.door == "link":
            objects = {**objects, "token": who.secret}
        given: dict[str, Any] = {"headers": {}}
        if who is not None and entry.door in ("token", "public"):
            given["headers"]["Authorization"] = f"Bearer {who.secret}"
        if who is not None and entry.door == "session":
            given["headers"]["Cookie"] = f"{SESSION_COOKIE}={who.secret}"
            body["csrf"] = hmac.new(who.secret.encode(), b"wellkept staff form", hashlib.sha256).hexdigest()
        if entry.method == "GET":
            given["params"] = self.table["queries"].get(entry.name)
        else:
            given["json" if entry.path.startswith("/v1/") else "data"] = body
            if entry.files:
                given["files"] = {name: ("a.png", picture(), "image/png") for name in entry.files}
        return self.client.request(entry.method, entry.path.format(**objects), **given)

    def filled(self, entry: Entry, objects: Mapping[str, str]) -> dict[str, Any]:
        """The body that the table or the tests of `/v1` have for an operation, about some objects."""
        body = self.table["bodies"].get(entry.name)
        if body is None and entry.path.startswith("/v1/"):
            body = bodies().get(entry.path)
        return {k: v.format(**objects) if isinstance(v, str) else v for k, v in (body or {}).items()}

    def plain(self, answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
        """An answer without the names of what was asked for and by whom."""
        text = answer.text
        for each in self.marks:
            text = text.replace(each, "…")
        heads = {k: v for k, v in answer.headers.items() if k not in _VARIES}
        return answer.status_code, text, heads

    def of(self, entry: Entry) -> list[Who]:
        """Who comes by an operation's door."""
        return [who for who in self.people if who.door == entry.door]


@pytest.fixture(scope="module")
def world(module_url: str, seeded_template: tuple[str, Seeded]) -> Iterator[World]:
    seeded = seeded_template[1]
    with connect(module_url, application="test") as conn:
        _set_up(conn, seeded)
        people = _principals(conn, seeded)
    # No stream begins: all its places are taken, which is told to whom would be let in.
    settings = Settings(database_url=module_url, pool_size=2, streams_most=0, rate_per_s=1e6)
    app = create_app(settings, wall=lambda: WALL)
    app.state.link_throttle = Throttle(1_000_000)
    with Inside(app) as client:
        yield World(client, seeded, people)
    app.state.context.pool.close()


def undeclared(app: FastAPI) -> list[str]:
    rows = declared()["routes"]
    return [line_of(each) for each in entries(app) if rows.get(each.name) != each.asks]


def check_own(world: World, entry: Entry, who: Who) -> list[str]:
    """An insider: let in with the right, refused without it, whatever the object."""
    answer = world.ask(entry, who, world.own)
    told = f"{entry.name} by {who.name} ({who.door}), own: {answer.status_code}"
    if who.role not in entry.roles:
        return [] if answer.status_code == 403 else [f"{told}, not 403"]
    narrower = entry.name in world.table["narrower"]
    fine = answer.status_code not in (401, 403, 404, 405) and answer.status_code < 500
    expected = world.table["own"].get(entry.name)
    if fine or answer.status_code == expected or (narrower and answer.status_code in (403, 404)):
        return []
    return [f"{told}: {answer.text[:200]}"]


def check_outside(world: World, entry: Entry, who: Who) -> list[str]:  # noqa: PLR0911  (a row of cases)
    """An outsider: what is foreign looks like what is missing, and lists do not name it."""
    foreign = world.ask(entry, who, world.own)
    told = f"{entry.name} by {who.name} ({who.door})"
    if who.role not in entry.roles:
        return [] if foreign.status_code == 403 else [f"{told}, foreign: {foreign.status_code}, not 403"]
    if entry.door == "link" and not _objects(entry):
        return []  # the link is the object: another one is another case
    if not _objects(entry) and "{ticket}" not in str(world.table["bodies"].get(entry.name)):
        leaked = [each for each in world.secrets if each in foreign.text]
        return [f"{told} hears of {leaked}"] if leaked else []
    if _objects(entry) and _objects(entry) <= _ORG_WIDE and "another area" in who.name:
        return [f"{told} hears of {each}" for each in world.secrets if each in foreign.text]
    if foreign.status_code not in ((404, 410) if entry.door == "link" else (403, 404)):
        return [f"{told}, foreign: {foreign.status_code}, not 404: {foreign.text[:200]}"]
    missing = world.ask(entry, who, world.missing)
    if world.plain(foreign) != world.plain(missing):
        return [f"{told}: foreign and missing differ:\n{world.plain(foreign)}\n{world.plain(missing)}"]
    return []


def check_nobody(world: World, entry: Entry) -> list[str]:
    """Without a token, session or link nothing opens, and own objects look like missing ones."""
    if entry.door == "public":
        return []
    objects = {**world.own, "token": _NO_LINK}
    answer = world.ask(entry, None, objects)
    wanted = {"token": 401, "session": 303, "link": 404}[entry.door]
    if answer.status_code != wanted:
        return [f"{entry.name} by nobody: {answer.status_code}, not {wanted}"]
    if entry.door == "session" and not answer.headers["location"].startswith("/login"):
        return [f"{entry.name} by nobody leads to {answer.headers['location']}"]
    again = world.ask(entry, None, world.missing)
    same = world.plain(answer)[:2] == world.plain(again)[:2]
    return [] if same else [f"{entry.name} by nobody: own and missing differ"]


def _objects(entry: Entry) -> set[str]:
    """What an operation names, but the organisation, which is a word of everybody's."""
    return {part for part in entry.path.split("/") if part.startswith("{")} - {
        "{org}",
        "{token}",
        "{line}",
        "{form}",
        "{day}",
    }


def test_every_route_is_declared(world: World) -> None:
    missing = undeclared(world.client.app)
    assert not missing, "review these and put them into [routes] of tests/api/matrix.toml:\n" + "\n".join(missing)
    known = {each.name for each in entries(world.client.app)}
    for part in ("routes", "narrower", "own", "queries", "bodies"):
        gone = world.table[part].keys() - known
        assert not gone, f"[{part}] of tests/api/matrix.toml names routes that are gone: {sorted(gone)}"


def test_nobody_sees_anything(world: World) -> None:
    wrong = [line for entry in entries(world.client.app) for line in check_nobody(world, entry)]
    assert not wrong, "\n".join(wrong)


def test_own_objects_are_open_by_right_alone(world: World) -> None:
    """Of each route one who holds the right and one who does not; the long tier asks everybody."""
    wrong = []
    for number, entry in enumerate(entries(world.client.app)):
        inside = [who for who in world.of(entry) if who.inside]
        may = [who for who in inside if who.role in entry.roles]
        may_not = [who for who in inside if who.role not in entry.roles]
        for each in (may, may_not):
            if each:
                wrong += check_own(world, entry, each[number % len(each)])
    assert not wrong, "\n".join(wrong)


def test_a_foreign_object_looks_like_a_missing_one(world: World) -> None:
    """One outsider of each route, another one from route to route; the long tier asks everybody."""
    wrong = []
    for number, entry in enumerate(entries(world.client.app)):
        outside = [who for who in world.of(entry) if not who.inside and who.role in entry.roles]
        if outside:
            wrong += check_outside(world, entry, outside[number % len(outside)])
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_everybody_and_everything(world: World) -> None:
    wrong = []
    for entry in entries(world.client.app):
        for who in world.of(entry):
            wrong += (check_own if who.inside else check_outside)(world, entry, who)
    assert not wrong, "\n".join(wrong)


def test_a_household_link_opens_its_own_cases_only(world: World) -> None:
    link = next(each.secret for each in world.people if each.name == "owner, another household")
    for entry in entries(world.client.app):
        if entry.door != "link" or entry.method != "GET" or _objects(entry):
            continue
        path = entry.path.format(token=link)
        foreign = world.client.request("GET", f"{path}?case={world.own['ref']}")
        missing = world.client.request("GET", f"{path}?case={_MISSING_REF}")
        assert world.plain(foreign) == world.plain(missing), path


def test_the_page_shows_what_the_application_says(world: World) -> None:
    page = block_of(DOCS.read_text())
    told = tables(entries(world.client.app), world.table["narrower"])
    assert page == told, "write it anew: python -m tests.api.matrix"


def test_an_undeclared_route_is_named() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/v1/backdoor")
    def backdoor() -> str:
        return "come in"

    assert undeclared(app) == ['"GET /v1/backdoor" = "public"']


def test_every_form_of_staff_needs_its_token(world: World) -> None:
    """A POST of a page that our own page has not made does nothing, whoever sends it."""
    found, wrong = 0, list[str]()
    for entry in entries(world.client.app):
        if entry.door != "session" or entry.method == "GET":
            continue
        who = next(each for each in world.of(entry) if each.inside and each.role in entry.roles)
        for form in ({}, {"csrf": "0" * 64}, {"csrf": ""}):
            cookie = {"Cookie": f"{SESSION_COOKIE}={who.secret}", "X-CSRF-Token": form.get("csrf", "")}
            answer = world.client.request(
                entry.method,
                entry.path.format(**world.own),
                data={**entry.form, **world.filled(entry, world.own), **form},
                files={name: ("a.png", picture(), "image/png") for name in entry.files} or None,
                headers=cookie,
            )
            if answer.status_code != 403:
                wrong.append(f"{entry.name} takes a form without its token: {answer.status_code}")
        found += 1
    assert found > 1
    assert not wrong, "\n".join(wrong)


def test_a_form_of_another_site_does_nothing(world: World) -> None:
    link = next(each.secret for each in world.people if each.name == "owner, household")
    for entry in entries(world.client.app):
        if entry.method == "GET" or entry.door not in ("link", "public"):
            continue
        path = entry.path.format(**{**world.own, "token": link})
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = world.client.request(entry.method, path, data=dict(entry.form), headers=headers)
            assert answer.status_code == 403, f"{entry.name} takes a form of another site: {answer.status_code}"


def test_every_page_has_a_strict_policy(world: World) -> None:
    pages = 0
    for entry in entries(world.client.app):
        if entry.path.startswith(("/v1/", "/static")) or entry.method != "GET":
            continue
        insiders = [each for each in world.of(entry) if each.inside and each.role in entry.roles]
        answer = world.ask(entry, insiders[0] if insiders else None, world.own)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        pages += 1
        policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'", entry.name
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", entry.name
        assert policy["form-action"] == "'self'", entry.name
        for kind in ("script-src", "style-src", "connect-src"):
            assert policy.get(kind, "'self'") == "'self'", f"{entry.name}: {policy}"
        assert answer.headers["referrer-policy"] == "no-referrer", entry.name
        assert answer.headers["x-content-type-options"] == "nosniff", entry.name
        assert " style=" not in answer.text, f"{entry.name} has a style of its own"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", answer.text), (
            f"{entry.name} has a script inside"
        )
    assert pages > 8
