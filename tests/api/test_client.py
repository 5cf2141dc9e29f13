"""The client against the application: every reading method's answer fits its type; changes, problems, events."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI

from api.documents import openapi_document
from client import (
    ChangedError,
    ConflictError,
    ForbiddenError,
    IllegalMoveError,
    NotFoundError,
    Patience,
    Wellkept,
    types,
)
from tests.api.case import NOW, Seeded
from tests.api.walk import NOWHERE, routes_of, samples


@pytest.fixture
def desk(base_url: str, seeded: Seeded) -> Iterator[Wellkept]:
    with Wellkept(base_url, seeded.tokens["admin"], patience=Patience(tries=1)) as made:
        yield made


def test_every_reading_method_understands_its_answer(desk: Wellkept, seeded: Seeded) -> None:
    here, read = samples(seeded), 0
    for route in routes_of(openapi_document()):
        name = route.description["operationId"]
        method = getattr(desk, name, None)
        if route.method != "GET" or method is None:
            continue
        wanted = [each for each in inspect.signature(method).parameters if each in route.parameters["path"]]
        needed = {each["name"] for each in route.description.get("parameters", []) if each.get("required")}
        if needed <= route.parameters["path"]:
            with suppress(ConflictError):  # no simulated fleet runs here
                method(*(here[each] for each in wanted))
                read += 1
    assert read >= 40


def test_a_change_is_made_to_what_was_seen_and_problems_say_what_is_possible(desk: Wellkept, seeded: Seeded) -> None:
    seen = desk.seen(desk.one_ticket, seeded.ticket)
    assert (seen.value.ref, seen.value.visits[0].id) == (seeded.ref, seeded.visit)
    assert [each.id for each in desk.every(desk.visits, state="proposed", limit=1)] == [seeded.visit]
    held = desk.ticket_move(seeded.ticket, types.MoveIn(to="hold", reason="later"), if_match=seen.etag)
    assert held.state == "hold"
    with pytest.raises(ChangedError) as changed:
        desk.ticket_move(seeded.ticket, types.MoveIn(to="open"), if_match=seen.etag)
    assert changed.value.present["state"] == "hold"
    assert desk.ticket_move(seeded.ticket, types.MoveIn(to="open"), if_match=changed.value.etag).state == "open"
    with pytest.raises(IllegalMoveError) as illegal:
        desk.ticket_move(seeded.ticket, types.MoveIn(to="closed"))
    assert "hold" in illegal.value.legal
    with pytest.raises(NotFoundError):
        desk.one_visit(NOWHERE)
    assert desk.readings("demo", "fridge-1", from_=NOW, limit=5).items == []


def test_events_go_on_behind_a_number_and_rights_are_kept(
    desk: Wellkept, seeded: Seeded, app: FastAPI, base_url: str
) -> None:
    desk.ticket_move(seeded.ticket, types.MoveIn(to="hold", reason="later"))
    app.state.feed.catch_up()
    told = desk.events(after=0, types=["ticket"])
    changes = iter(told)
    first = next(changes)
    second = next(changes)
    assert (first.change and first.change.what, second.change and second.change.id) == ("created", str(seeded.ticket))
    told.close()
    again = next(iter(desk.events(after=first.no, types=["ticket"])))
    assert again == second
    with Wellkept(base_url, seeded.tokens["read_only"]) as other, pytest.raises(ForbiddenError):
        other.webhook_new(types.WebhookIn(url="https://93.184.215.14/"))
