"""The documents of our interfaces break nobody who relies on the kept ones; and what would is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from api.breaking import breaking
from api.documents import asyncapi_document, openapi_document
from telemetry.asyncapi import examples
from telemetry.command import decode_command, decode_response
from telemetry.errors import WireError
from telemetry.message import Receipt, State, decode_clock, decode_envelope, decode_receipt, encode_pack
from telemetry.topics import Channel

DOCS = Path(__file__).parents[2] / "docs"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def openapi() -> Json:
    return openapi_document()


def test_nobody_who_relies_on_the_kept_documents_is_broken(openapi: Json) -> None:
    for name, new in (("openapi.json", openapi), ("asyncapi.json", asyncapi_document())):
        old = json.loads((DOCS / name).read_text())
        found = breaking(old, new)
        assert not found, f"docs/{name}: " + "\n".join(found)


def _at(document: Json, *path: str) -> Json:
    for step in path:
        document = document[step]
    return document


_SCHEMAS = ("components", "schemas")
_MOVE = ("paths", "/v1/tickets/{ticket}/moves")
_CHANGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "an operation": (lambda d: d["paths"].pop("/v1/clock"), "GET /v1/clock is gone"),
    "a parameter": (
        lambda d: _at(d, "paths", "/v1/tickets", "get")["parameters"].pop(0),
        "GET /v1/tickets, query parameter",
    ),
    "a field that is told": (
        lambda d: _at(d, *_SCHEMAS, "TicketOut", "properties").pop("ref"),
        "GET /v1/tickets, answer 200.items[].ref is gone",
    ),
    "a field that may be missing": (
        lambda d: _at(d, *_SCHEMAS, "ClockOut")["required"].remove("speed"),
        "GET /v1/clock, answer 200.speed may be missing now",
    ),
    "a field that became necessary": (
        lambda d: _at(d, *_SCHEMAS, "MoveIn")["required"].append("reason"),
        "POST /v1/tickets/{ticket}/moves, body.reason became necessary",
    ),
    "a field that is not taken any more": (
        lambda d: _at(d, *_SCHEMAS, "MoveIn", "properties").pop("reason"),
        "POST /v1/tickets/{ticket}/moves, body.reason is gone",
    ),
    "a shorter bound": (
        lambda d: _at(d, *_SCHEMAS, "MoveIn", "properties", "to").update(maxLength=4),
        "POST /v1/tickets/{ticket}/moves, body.to: maxLength became 4, was 40",
    ),
    "an enumerated value": (
        lambda d: _at(d, *_SCHEMAS, "OutcomeIn", "properties", "code")["enum"].remove("repaired"),
        "POST /v1/visits/{visit}/outcome, body.code: value repaired is gone",
    ),
    "a narrower type": (
        lambda d: _at(d, *_SCHEMAS, "ComplaintIn", "properties", "words").update(type="integer"),
        "POST /v1/tickets/{ticket}/complaints, body.words: type became integer, was string",
    ),
    "an answer that may be null": (
        lambda d: _at(d, *_SCHEMAS, "ClockOut", "properties").update(
            rev={"anyOf": [{"type": "integer"}, {"type": "null"}]}
        ),
        "GET /v1/clock, answer 200.rev: type became integer or null, was integer",
    ),
    "another status": (
        lambda d: _at(d, *_MOVE, "post")["responses"].update({"202": _at(d, *_MOVE, "post")["responses"].pop("200")}),
        "POST /v1/tickets/{ticket}/moves, answer 200 is gone",
    ),
}


@pytest.mark.parametrize("what", _CHANGES)
def test_what_breaks_is_named(openapi: Json, what: str) -> None:
    change, told = _CHANGES[what]
    new = copy.deepcopy(openapi)
    change(new)
    found = breaking(openapi, new)
    assert any(line.startswith(told) for line in found), found


def test_additions_pass(openapi: Json) -> None:
    new = copy.deepcopy(openapi)
    schemas = new["components"]["schemas"]
    schemas["ClockOut"]["properties"]["zone"] = {"type": "string"}
    schemas["ClockOut"]["required"].append("zone")
    schemas["MoveIn"]["properties"]["note"] = {"type": "string"}
    schemas["MoveIn"]["properties"]["to"]["maxLength"] = 80
    schemas["OutcomeIn"]["properties"]["code"]["enum"].append("replaced")
    new["paths"]["/v1/weather"] = {"get": {"responses": {"200": {"description": "rain"}}}}
    assert breaking(openapi, new) == []
    assert breaking(new, openapi)


def test_breaks_of_the_messages_are_named() -> None:
    old = asyncapi_document()
    new = copy.deepcopy(old)
    del new["channels"]["event"]
    del new["operations"]["receive_event"]
    new["channels"]["receipt"]["address"] = "wellkept/v2/{org}/{device}/receipt"
    new["components"]["schemas"]["Envelope"]["required"].append("fw")
    del new["components"]["schemas"]["Receipt"]["properties"]["beyond"]
    found = breaking(old, new)
    assert "channel event is gone" in found
    assert "operation receive_event is gone" in found
    assert "operation receive_telemetry, message telemetry.fw became necessary" in found
    assert "operation send_receipt, message receipt.beyond is gone" in found
    assert any(line.startswith("channel receipt moved") for line in found)


def test_the_messages_examples_are_what_the_codec_takes_and_the_schemas_say() -> None:
    document = asyncapi_document()
    decode: dict[Channel, Callable[[bytes], object]] = {
        Channel.TELEMETRY: decode_envelope,
        Channel.EVENT: decode_envelope,
        Channel.STATE: msgspec.json.Decoder(State).decode,
        Channel.RECEIPT: decode_receipt,
        Channel.COMMAND: decode_command,
        Channel.RESPONSE: decode_response,
    }
    for channel, payloads in examples().items():
        schema = {**document["components"]["messages"][channel]["payload"], "components": document["components"]}
        for payload in payloads:
            assert decode[channel](json.dumps(payload).encode())
            jsonschema_rs.Draft202012Validator(schema).validate(payload)
            if channel in (Channel.TELEMETRY, Channel.EVENT):
                assert decode_envelope(encode_pack(payload)) == decode_envelope(json.dumps(payload).encode())
    (clock,) = (each["payload"] for each in document["components"]["messages"]["clock"]["examples"])
    assert decode_clock(json.dumps(clock).encode())
    assert {*Channel} == {*document["channels"]} - {"clock"} == {*examples(), Channel.HOME}
    assert msgspec.json.encode(Receipt(epoch=1, upto=2))


def test_the_schemas_refuse_what_the_codec_refuses() -> None:
    document = asyncapi_document()
    schema = {"$ref": "#/components/schemas/Envelope", "components": document["components"]}
    known = jsonschema_rs.Draft202012Validator(schema)
    good = examples()[Channel.TELEMETRY][0]
    for wrong in ({"v": 2}, {"seq": 0}, {"epoch": -1}, {"t": -1.0}, {"q": "x"}, {"fw": ""}, {"seq": None}):
        assert not known.is_valid({**good, **wrong}), wrong
        with pytest.raises(WireError):
            decode_envelope(json.dumps({**good, **wrong}).encode())


def test_every_reference_of_the_messages_leads_somewhere() -> None:
    document = asyncapi_document()
    for operation in document["operations"].values():
        (message,) = operation["messages"]
        found: Any = document
        for step in message["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        assert found["$ref"].startswith("#/components/messages/")
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]
