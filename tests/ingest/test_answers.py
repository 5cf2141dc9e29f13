"""A device's answer to a self-test: what is absurd is refused before it reaches a detector."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.core import IngestCore, PublishBlock
from telemetry.block import decode_block
from telemetry.clock import production_clock
from telemetry.control import ControlKind

NOW = 1_790_000_000_000_000
IDENT = "00000000-0000-0000-0000-000000000001"


def blocks(values: Any, ident: str = IDENT) -> list[PublishBlock]:  # noqa: ANN401  (whatever a device may say)
    core = IngestCore(1, 1 << 20, lambda: "block")
    core.hear_clock(production_clock(), NOW)
    connection = core.connected()
    body = {"v": 1, "id": ident, "command": "self_test", "status": "ok", "t": 1.0, "values": values}
    found = core.receive_many(
        connection, [(b"wellkept/v1/demo/fridge-1/response", json.dumps(body).encode(), 1)], 0.0, NOW
    )
    return [*found, *core.drain(10.0)]


def test_an_answer_travels_as_a_control_entry() -> None:
    (block,) = blocks({"fan_speed_rpm": 1230.0})
    (entry,) = decode_block(block.data).controls
    assert (entry.kind, entry.id, entry.body["values"]) == (ControlKind.SELF_TEST, IDENT, {"fan_speed_rpm": 1230.0})


@pytest.mark.parametrize(
    "values",
    [
        {"fan_speed_rpm": "fast"},
        {"fan_speed_rpm": float("nan")},
        {"fan_speed_rpm": float("inf")},
        {"fan_speed_rpm": None},
        {"fan_speed_rpm": [1.0]},
        {"\x00": 1.0},
        {f"x{i}": 1.0 for i in range(1000)},
        "fast",
        [1.0],
    ],
    ids=["word", "nan", "infinite", "nothing", "list", "unprintable", "too many", "text", "bare list"],
)
def test_an_absurd_answer_is_refused(values: object) -> None:
    (block,) = blocks(values)
    found = decode_block(block.data)
    assert list(found.controls) == []
    assert len(found.rejects) == 1


def test_an_answer_that_nobody_can_have_asked_for_is_refused() -> None:
    (block,) = blocks({"fan_speed_rpm": 1.0}, ident="seven")
    assert [len(decode_block(block.data).controls), len(decode_block(block.data).rejects)] == [0, 1]
