"""`wellkept status`: parts, pids, addresses, lags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from stack import run_state
from stack.clockwork import describe
from storage.clock_store import read_clock
from storage.overview import Unreachable, open_things, positions, read_counts
from storage.pool import Connection, connect
from stream.heads import read_behind
from stream.nats_client import NatsStream
from stream.nats_leases import NatsLeases
from stream.port import Position, StreamError
from telemetry.clock import MICROS, system_wall, to_datetime
from worker.lease_records import read_owners

_BLOCKS = "WK_BLOCKS"


def collect(data_dir: Path) -> dict[str, Any]:
    """Everything `wellkept status --json` says. Works on a stopped product too."""
    state = run_state.load(data_dir)
    if state is None:
        return {"running": False, "data_dir": str(data_dir.resolve()), "parts": []}
    parts = [
        {
            "name": part.name,
            "state": "external" if part.external else "running" if part.alive else "stopped",
            "pid": part.pid if part.alive else None,
            "restarts": part.restarts,
            "address": part.address,
        }
        for part in state.parts
        if part.pid is not None or part.external or part.name != "mqtt"
    ]
    status: dict[str, Any] = {
        "running": state.supervisor.alive,
        "pid": state.supervisor.pid if state.supervisor.alive else None,
        "data_dir": str(data_dir.resolve()),
        "parts": parts,
        "mqtt": next((part.address for part in state.parts if part.name == "mqtt"), None),
        "http": state.secrets.get("http_url"),
    }
    if not state.supervisor.alive:
        return status
    stream = stream_state(state.monitor)
    status["stream"] = stream
    try:
        with connect(state.secrets["database_url"], application="wellkept-status", autocommit=True) as conn:
            status |= _database(conn)
            committed = {partition: Position(*at) for partition, at in positions(conn).items()}
    except Unreachable as error:
        return status | {"database_error": str(error).splitlines()[0]}
    try:
        status |= _sharing(state.secrets["nats_url"], committed)
    except StreamError as error:
        status["stream_error"] = str(error)
    return status


def _sharing(nats_url: str, committed: dict[int, Position]) -> dict[str, Any]:
    """Which worker owns what, and what nobody has committed yet."""
    stream = NatsStream(nats_url, name="status")
    try:
        members, owners = read_owners(NatsLeases(stream).read_records())
        behind = read_behind(stream, committed)
    finally:
        stream.close()
    waiting = {p: max(0, at.head - committed[p].seq) for p, at in behind.items() if at.oldest is not None}
    oldest = min((at.oldest for at in behind.values() if at.oldest is not None), default=None)
    return {
        "workers": [
            {"name": name, "partitions": sorted(p for p, owner in owners.items() if owner == name)}
            for name in sorted({*members, *owners.values()})
        ],
        "lag_blocks": max(waiting.values(), default=0),
        "lag_s": 0.0 if oldest is None else round((system_wall() - oldest) / MICROS, 3),
    }


def _database(conn: Connection) -> dict[str, Any]:
    wall = system_wall()
    clock = read_clock(conn)
    counts = read_counts(conn)
    found: dict[str, Any] = {
        "counts": {name: getattr(counts, name) for name in counts.__dataclass_fields__},
        "partitions": len(positions(conn)),
    }
    if clock is not None:
        found["clock"] = describe(clock, wall)
        open_now = open_things(conn, to_datetime(clock.fleet_at(wall)))
        found["due"], found["jobs"], found["control_entries"] = open_now.due, open_now.jobs, open_now.entries
    return found


def stream_state(monitor: str | None) -> dict[str, Any] | None:
    """Blocks and unacknowledged MQTT messages of the embedded server, from its monitoring pages."""
    if monitor is None:
        return None
    try:
        with urlopen(f"{monitor}/jsz?streams=true&accounts=true", timeout=2) as answer:  # noqa: S310  (http on the loopback)
            said = json.load(answer)
    except (URLError, OSError, ValueError):
        return None
    streams = {
        detail["name"]: detail["state"]
        for account in said.get("account_details") or []
        for detail in account.get("stream_detail") or []
    }
    blocks, waiting = streams.get(_BLOCKS, {}), streams.get("$MQTT_msgs", {})
    return {
        "blocks": blocks.get("messages", 0),
        "bytes": blocks.get("bytes", 0),
        "last_seq": blocks.get("last_seq", 0),
        "mqtt_waiting": waiting.get("messages", 0),
        "mqtt_oldest": waiting.get("first_ts") if waiting.get("messages") else None,
        "store_bytes": said.get("storage", 0),
    }
