"""Payloads with something wrong in them: each is kept somewhere, and neighbours never notice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from storage.pool import connect
from telemetry.message import Envelope, encode_envelope
from tests.faults.disorder import drain
from tests.faults.stage import Case, numbered


def fuzz(case: Case, payloads: int) -> None:
    """Mutated payloads: each is kept as a reading or a dead letter, and its neighbours never notice."""
    good, bad = case.plugs(1)[0], case.name("fuzzed")
    case.ledger.babblers.add(bad)
    case.rig.register("smart_plug", [bad])
    raw = case.raw()
    sent: list[bytes] = []
    for n in range(1, payloads + 1):
        payload = mutate(case.rng, n)
        sent.append(payload)
        raw.send(f"wellkept/v1/demo/{bad}/telemetry", payload)
        if n % 20 == 0:
            raw.say(good, numbered(n // 20))
    case.ledger.numbered(good, 1, range(1, payloads // 20 + 1))
    drain(case, raw, [good], 1, payloads // 20)
    raw.stop()
    missing: list[bytes] = []

    def all_kept() -> bool:
        missing[:] = unaccounted(case, bad, sent)
        return not missing

    try:
        case.until(all_kept, 60, "every fuzzed payload kept")
    except AssertionError as error:
        raise AssertionError(f"{len(missing)} payloads are kept nowhere, e.g. {missing[:3]}") from error
    case.notes.append(f"{payloads} payloads")


def unaccounted(case: Case, device: str, sent: list[bytes]) -> list[bytes]:
    """Payloads whose bytes are no dead letter and whose identity was not taken."""
    with connect(case.url, application="look") as conn:
        raws = {bytes(row[0]) for row in conn.execute("select raw from dead_letter where device = %s", (device,))}  # type: ignore[call-overload]
        taken = {
            (int(str(epoch)), int(str(seq)))
            for epoch, seq in conn.execute(
                """
                select r.epoch, r.seq from reading_smart_plug r join device d on d.no = r.device
                where d.device = %(name)s
                union
                select e.epoch, e.seq from device_event e join device d on d.no = e.device where d.device = %(name)s
                union select epoch, seq from dead_letter where device = %(name)s and seq is not null
                """,
                {"name": device},
            )
        }
    # The first of a number wins, and it may have said nothing.
    taken |= {found for payload in sent if says_nothing(payload) and (found := identity(payload)) is not None}
    return [payload for payload in sent if payload not in raws and identity(payload) not in taken]


def identity(payload: bytes) -> tuple[int, int] | None:
    """Epoch and seq of a payload by a parser that is not the product's, or None."""
    try:
        found = parse(payload) or _number(payload)
        return int(found["epoch"]), int(found["seq"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def says_nothing(payload: bytes) -> bool:
    """Whether a payload holds neither a reading nor an event: there is nothing to keep of it but its number."""
    found = parse(payload)
    return bool(found) and not found.get("q") and not found.get("events")


class _Number(msgspec.Struct):
    """What can be read where even the readings are no text."""

    epoch: int
    seq: int


def _number(payload: bytes) -> dict[str, Any]:
    for decode in (msgspec.json.Decoder(_Number).decode, msgspec.msgpack.Decoder(_Number).decode):
        try:
            return msgspec.structs.asdict(decode(payload))
        except (ValueError, RecursionError):
            continue
    return {}


class _Said(msgspec.Struct):
    """What can be read where other keys are no text."""

    epoch: int
    seq: int
    q: dict[str, Any] | None = None
    events: list[Any] | None = None


def _lenient(decode: Callable[[bytes], _Said]) -> Callable[[bytes], dict[str, Any]]:
    return lambda payload: msgspec.structs.asdict(decode(payload))


_PARSERS: tuple[Callable[[bytes], Any], ...] = (
    json.loads,
    msgspec.msgpack.decode,
    _lenient(msgspec.json.Decoder(_Said).decode),
    _lenient(msgspec.msgpack.Decoder(_Said).decode),
)


def parse(payload: bytes) -> dict[str, Any]:
    """The object of a payload, empty when it is none."""
    for decode in _PARSERS:
        try:
            found = decode(payload)
        except (ValueError, RecursionError, msgspec.DecodeError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def mutate(rng: Random, n: int) -> bytes:
    """A message with something wrong in it, as JSON or MessagePack; now and then nothing at all."""
    envelope = Envelope(v=1, epoch=1, seq=n, base=0, t=time.time(), q={"power": float(n)})
    payload = bytearray(encode_envelope(envelope, packed=rng.random() < 0.5))
    kind = rng.randrange(6)
    if kind == 0:
        for _ in range(rng.randint(1, 4)):
            payload[rng.randrange(len(payload))] = rng.randrange(256)
    elif kind == 1:
        del payload[rng.randrange(len(payload)) :]
    elif kind == 2:
        at = rng.randrange(len(payload))
        payload[at:at] = rng.randbytes(rng.randint(1, 40))
    elif kind == 3:
        payload = bytearray(rng.randbytes(rng.randint(0, 200)))
    elif kind == 4:
        payload = bytearray(json.dumps(strange_body(rng, n)).encode())
    return bytes(payload)


def strange_body(rng: Random, n: int) -> dict[str, object]:
    """A well-formed object that says strange things."""
    strange: list[object] = [
        None,
        True,
        -1,
        1e39,
        2**70,
        "x" * 300,
        "a\0b",
        [],
        {},
        [1, [2]],
        {"power": []},
        "\ud83d\ude00",
        -0.0,
    ]
    body: dict[str, object] = {"v": 1, "epoch": 1, "seq": n, "base": 0, "t": time.time(), "q": {"power": 1.0}}
    for _ in range(rng.randint(1, 3)):
        body[rng.choice(["v", "epoch", "seq", "base", "t", "dt", "phase", "q", "events", "fw", "device"])] = rng.choice(
            strange
        )
    return body
