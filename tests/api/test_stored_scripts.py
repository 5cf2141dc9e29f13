"""Text that people, programs and devices give us is shown as text: two hundred payloads, every page.

They go through every text field of `/v1` and, as a device's own words, into the registry, its readings' events and its
firmware. Then every page of the application is read: by a parser that knows what no page of ours contains, and in
Chromium, which would run what runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Request

from storage.access import Role, create_owner_link, create_staff
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.api.case import NOW, WALL, Seeded
from tests.api.matrix import declared, entries
from tests.api.payloads import MARK, PAYLOADS
from tests.api.test_contract import bodies
from tests.api.walk import samples

pytestmark = pytest.mark.browser
_NEVER = frozenset({"iframe", "object", "embed", "base", "math", "marquee", "noscript", "applet"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "xlink:href", "data", "srcdoc", "poster"})
_COLUMNS = (
    "update device set serial = %(all)s, room = %(all)s, model = %(all)s",
    "update household set name = %(all)s, address = %(all)s",
    "update technician set name = %(all)s || id::text, phone = %(all)s, area = %(all)s",
    "update visit set reason = %(all)s",
    "update ticket set reason = %(all)s",
    "update notice set subject = %(all)s, body = %(all)s",
    "update staff_user set name = %(all)s",
    "update ticket_event set body = jsonb_set(body, '{words}', to_jsonb(%(all)s::text))",
    """
    insert into device_event (device, t, epoch, seq, sub, code, arrival)
    select no, %(now)s, 1, 1, 0, %(all)s, %(now)s from device
    """,
)


class Strange(HTMLParser):
    """Collects what no page of ours contains."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        foreign = tag == "script" and not (held.get("src") or "").startswith("/static/")
        if tag in _NEVER or MARK in tag or foreign:
            self.found.append(f"<{tag} {held}>"[:200])
        if tag == "meta" and "http-equiv" in held:
            self.found.append(f"<meta {held}>"[:200])
        for name, value in attrs:
            runs = name in _ADDRESSES and re.match(
                r"[\s\x00-\x1f]*(javascript|data:text|//evil)", value or "", re.IGNORECASE
            )
            if name.startswith("on") or name == "style" or MARK in name or runs:
                self.found.append(f"<{tag} {name}={value!r}>"[:200])

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None and MARK in data:
            self.found.append(f"in <{self.cdata_elem}>: {data}"[:200])


def chunks(most: int) -> Iterator[str]:
    """All payloads in pieces of at most so many characters."""
    piece = ""
    for each in PAYLOADS:
        if len(piece) + len(each) + 1 > most:
            yield piece
            piece = ""
        piece += f"{each} " if len(each) < most else ""
    if piece:
        yield piece


def texts_of(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Fields of a body that take free text, and how much of it."""
    schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    for name, field in schema.get("properties", {}).items():
        for kind in field.get("anyOf", [field]):
            plain = kind.get("type") == "string" and not {"enum", "const", "format", "pattern"} & kind.keys()
            if plain:
                yield name, int(kind.get("maxLength", 2000))


def fill(http: httpx.Client, seeded: Seeded, *, every: bool) -> int:
    """Send payloads through every text field of `/v1`. Returns how many requests were taken."""
    auth = {"Authorization": f"Bearer {seeded.tokens['admin']}"}
    document, here, taken, turn = http.get("/openapi.json").json(), samples(seeded), 0, 0
    for template, body in bodies().items():
        if template not in document["paths"]:
            continue
        operation = next(iter(v for k, v in document["paths"][template].items() if k != "get"))
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or body is None or template.endswith(("/erasure", "/removal")):
            continue
        schema: dict[str, Any] = next(
            (each for each in content["schema"].get("anyOf", [content["schema"]]) if "$ref" in each), {}
        )
        for name, most in texts_of(document, schema):
            pieces = list(chunks(min(most, 2000))) or [PAYLOADS[0][:most]]
            for piece in pieces if every else [pieces[turn % len(pieces)]]:
                given = {**body, name: piece[:most]}
                answer = http.post(template.format(**here), headers=auth, json=given)
                assert answer.status_code < 500, (template, name, answer.text)
                taken += answer.is_success
            turn += 1
    return taken


def pages(app: FastAPI, seeded: Seeded, link: str) -> Iterator[tuple[str, str]]:
    """Every page and by which door."""
    objects = {**samples(seeded), "ref": seeded.ref, "token": link, "form": "csv", "day": "2026-11-19"}
    queries = declared()["queries"]
    for entry in entries(app):
        if entry.method == "GET" and entry.door in ("session", "link", "public") and "/v1/" not in entry.path:
            query = "&".join(f"{k}={v}" for k, v in queries.get(entry.name, {}).items())
            yield entry.door, entry.path.format(**objects) + (f"?{query}" if query else "")


@pytest.fixture
def stored(http: httpx.Client, seeded: Seeded, database_url: str) -> dict[str, str]:
    """The case with payloads in the words of devices and people: sessions by role, and the link."""
    everything, passwords = " ".join(PAYLOADS), dict[str, str]()
    with connect(database_url, application="test") as conn:
        for role in (Role.ADMIN, Role.TECHNICIAN):
            technician = seeded.technician if role is Role.TECHNICIAN else None
            passwords[role.value] = create_staff(
                conn, role.value, now=to_datetime(WALL), role=role, technician=technician
            )
        link = create_owner_link(conn, now=NOW, household=seeded.household)
        for statement in _COLUMNS:
            conn.execute(statement, {"all": everything, "now": NOW})
    found = {"link": link}
    for login, password in passwords.items():
        answer = http.post("/login", data={"login": login, "password": password})
        found[login] = answer.cookies["wk_session"]
        http.cookies.clear()
    return found


def test_payloads_are_two_hundred() -> None:
    assert len(set(PAYLOADS)) == 200


def test_stored_payloads_are_text_on_every_page(  # noqa: PLR0917  (fixtures)
    http: httpx.Client, app: FastAPI, seeded: Seeded, stored: dict[str, str], browser: Browser, base_url: str
) -> None:
    _check(http, app, seeded, stored, browser, base_url, every=False)


@pytest.mark.long
def test_every_payload_through_every_field(  # noqa: PLR0917  (fixtures)
    http: httpx.Client, app: FastAPI, seeded: Seeded, stored: dict[str, str], browser: Browser, base_url: str
) -> None:
    _check(http, app, seeded, stored, browser, base_url, every=True)


def _check(  # noqa: PLR0917  (fixtures)
    http: httpx.Client,
    app: FastAPI,
    seeded: Seeded,
    stored: dict[str, str],
    browser: Browser,
    base_url: str,
    *,
    every: bool,
) -> None:
    assert fill(http, seeded, every=every) > 15
    wrong, showing = [], []
    for door, path in pages(app, seeded, stored["link"]):
        if path.endswith("/events"):
            continue
        session = stored["technician" if path.startswith("/day") else "admin"]
        answer = http.get(path, headers={"Cookie": f"wk_session={session}"} if door == "session" else {})
        http.cookies.clear()
        assert answer.status_code < 500, (path, answer.text[:300])
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        parser = Strange()
        parser.feed(answer.text)
        wrong += [f"{path}: {each}" for each in parser.found]
        if MARK in answer.text:
            showing.append((door, path))
    assert not wrong, "\n".join(wrong)
    assert len(showing) >= 10, showing
    # What a parser calls harmless, a browser shall not run either: in a few pages, or in all of them.
    links = [each for each in showing if each[0] == "link"]
    few = re.compile(r"/(dispatch|tickets/[^/]+|day/visits/[^/]+|lab/\w+/[\w-]+)")
    staffs = [each for each in showing if few.fullmatch(each[1])]
    assert links
    assert len(staffs) >= 2
    kept = showing if every else links[:3] + staffs
    assert _in_chromium(browser, base_url, kept, stored) == []


def _in_chromium(browser: Browser, base_url: str, kept: list[tuple[str, str]], stored: dict[str, str]) -> list[str]:
    """What ran, was asked of others, or was held back by the policy while pages were shown."""
    found: list[str] = []
    context = browser.new_context()
    context.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " e => console.error('policy: ' + e.violatedDirective + e.blockedURI))"
    )
    page = context.new_page()

    def asked(dialog: Dialog) -> None:
        found.append(f"{page.url}: dialog {dialog.message}")
        dialog.dismiss()

    def said(line: ConsoleMessage) -> None:
        if line.type == "error":
            found.append(f"{page.url}: {line.text}")

    def fetched(each: Request) -> None:
        if not each.url.startswith((base_url, "data:")):
            found.append(each.url)

    page.on("dialog", asked)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on("console", said)
    page.on("request", fetched)
    for door, path in kept:
        session = stored["technician" if path.startswith("/day") else "admin"]
        context.clear_cookies()
        if door == "session":
            context.add_cookies([{"name": "wk_session", "value": session, "url": base_url}])
        page.goto(f"{base_url}{path}", wait_until="load")
        # Whatever waits for the pointer or the focus has had both.
        page.evaluate(
            "document.querySelectorAll('*').forEach(e => ['mouseover', 'focus', 'toggle'].forEach("
            "n => e.dispatchEvent(new Event(n))))"
        )
        strange = page.evaluate(
            "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/.test(a.name)))"
            ".map(e => e.outerHTML.slice(0, 120))"
        )
        found += [f"{path}: {each}" for each in strange]
    context.close()
    return found
