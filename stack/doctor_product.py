"""What a product that runs, or one over servers of your own, has to say: its servers, rights, stores, clocks."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from stack.checks import Check, TroubleError
from stack.clockwork import is_production
from stack.doctor_machine import port_holder
from stack.embedded_nats import EmbeddedNats
from stack.errors import NotOursError
from stack.run_state import RunState
from stack.settings import Settings
from storage import backup_store, read_rights
from storage.clock_store import read_clock
from storage.migrate import MigrationError
from storage.overview import positions
from storage.pool import Connection, connect
from stream.heads import Fill, read_fill
from stream.nats_client import NatsStream
from stream.notes import mirrored_clock
from stream.port import StreamError
from stream.rights import INGEST_HEARS, INGEST_PUBLISHES, WORKER_HEARS, WORKER_PUBLISHES, forbidden
from telemetry.clock import MICROS, FleetClock, WallClock, system_wall, to_datetime

ALARM = 0.75
FULL = 0.95
_OLD_BACKUP = timedelta(days=7)
_SKEW = timedelta(seconds=2)
_AHEAD = 3600 * MICROS
_FLEET_SKEW = 2 * MICROS


def product_checks(data_dir: Path, settings: Settings, state: RunState | None) -> list[Check]:
    """The checks, in the order in which they are told."""
    secrets = state.secrets if state is not None else {}
    database = settings.database_url or secrets.get("database_url", "")
    nats = settings.nats_url or secrets.get("nats_url", "")
    checks: list[Check] = []
    if state is not None:
        checks.append(("processes", str(data_dir.resolve()), lambda: processes(state)))
        checks.append(("measurements", str(data_dir.resolve()), lambda: measurements(state)))
        if state.monitor is not None:
            checks.append(("stream's server", state.monitor, lambda: own_server(data_dir)))
        http = secrets["http_url"]
        checks.append(("pages and API", http, lambda: own_pages(http)))
        checks.append(("readiness", f"{http}/readyz", lambda: ready(http)))

    def on_database(look: Callable[[Connection], str]) -> Callable[[], str]:
        def checked() -> str:
            with connect(database, application="wellkept-doctor", autocommit=True) as conn:
                return look(conn)

        return checked

    def on_both(look: Callable[[Connection, NatsStream], str]) -> Callable[[], str]:
        def checked() -> str:
            with (
                connect(database, application="wellkept-doctor", autocommit=True) as conn,
                closing(NatsStream(nats, name="doctor")) as stream,
            ):
                return look(conn, stream)

        return checked

    where = _safe(database)
    checks += [
        ("migrations", where, on_database(migrations)),
        ("database rights", where, on_database(database_rights)),
        ("database clock", where, on_database(database_clock)),
        ("fleet clock", where, on_both(fleet_clock)),
        ("stream rights", _safe(nats), lambda: stream_rights(nats, WORKER_PUBLISHES, WORKER_HEARS, "worker, api")),
        ("stream store", _safe(nats), on_both(stream_store)),
        ("backups", where, on_database(backups)),
    ]
    if state is not None and state.monitor is not None:
        ingest = EmbeddedNats.attach(data_dir / "nats").nats_url("ingest")
        checks.append(
            ("stream rights", _safe(ingest), lambda: stream_rights(ingest, INGEST_PUBLISHES, INGEST_HEARS, "ingest"))
        )
        checks.append(("server's store", str(data_dir / "nats"), lambda: server_store(str(state.monitor))))
    return checks


def processes(state: RunState) -> str:
    """Whether every process that was started still runs."""
    gone = [part for part in state.parts if not part.external and part.name != "mqtt" and not part.alive]
    if gone:
        raise TroubleError(
            ", ".join(f"{part.name} does not run (started again {part.restarts} times)" for part in gone),
            f"see logs/{gone[0].name}.log in the data directory",
        )
    return f"{len(state.parts)} parts run"


def measurements(state: RunState) -> str:
    """Whether each process that has a port for Prometheus answers there as ours."""
    shown = [
        (part.name, part.address) for part in state.parts if part.alive and (part.address or "").endswith("/metrics")
    ]
    for name, address in shown:
        try:
            with urlopen(str(address), timeout=3) as answer:  # noqa: S310  (http, from our own state)
                ours = b"wellkept_" in answer.read()
        except HTTPError as error:
            error.close()
            ours = False
        except (URLError, OSError):
            ours = False
        if not ours:
            port = int(str(address).rpartition(":")[2].partition("/")[0])
            raise TroubleError(
                f"{name} does not show its measurements on port {port}{_held(port)}",
                f"end what has the port, then end {name}: it is started again",
                "warning",
                where=str(address),
            )
    return f"{len(shown)} processes show theirs"


def own_server(data_dir: Path) -> str:
    """Whether what answers on the stream's monitoring port is the server of this directory."""
    server = EmbeddedNats.attach(data_dir / "nats")
    try:
        server.check_identity()
    except (OSError, ValueError) as cause:
        raise TroubleError(
            f"nothing of ours answers on port {server.ports.http}{_held(server.ports.http)}", "see nats/nats.log"
        ) from cause
    except NotOursError as cause:
        holder = port_holder(server.ports.http)
        raise TroubleError(
            f"{cause}{f' ({holder})' if holder else ''}", "end that server, then start the product again"
        ) from cause
    return f"{server.name} answers on ports {server.ports.nats}, {server.ports.mqtt} and {server.ports.http}"


def own_pages(url: str) -> str:
    """Whether what answers on the HTTP port is our API."""
    port = int(url.rpartition(":")[2])
    try:
        with urlopen(f"{url}/healthz", timeout=3) as answer:  # noqa: S310  (http, from our own state)
            said = json.load(answer)
    except (HTTPError, ValueError) as cause:
        if isinstance(cause, HTTPError):
            cause.close()
        raise TroubleError(
            f"port {port} is answered by something else{_held(port)}", "end it, or give another --port"
        ) from cause
    except (URLError, OSError) as cause:
        raise TroubleError(f"nothing answers on port {port}{_held(port)}", "see logs/api.log") from cause
    if not isinstance(said, dict) or "version" not in said:
        raise TroubleError(f"port {port} is answered by something else{_held(port)}", "end it, or give another --port")
    return f"version {said['version']} answers"


def ready(url: str) -> str:
    """What `/readyz` says."""
    try:
        with urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310  (http, from our own state)
            return ", ".join(part["part"] for part in json.load(answer)["parts"]) + " are ready"
    except HTTPError as error:
        with error:
            detail = json.load(error).get("detail", str(error))
        raise TroubleError(detail, "see the log of the part that is named") from error


def migrations(conn: Connection) -> str:
    """Whether the schema is that of this version."""
    try:
        waiting = read_rights.pending_migrations(conn)
    except MigrationError as error:
        raise TroubleError(
            str(error), "run the version of the product that made this schema, or a newer one"
        ) from error
    if waiting:
        raise TroubleError(f"{len(waiting)} migrations are missing, {waiting[0]} the first", "wellkept migrate")
    return "the schema is that of this version"


def database_rights(conn: Connection) -> str:
    """Whether our role may do what it must."""
    missing = read_rights.missing_rights(conn)
    if missing:
        raise TroubleError(
            f"role {read_rights.role(conn)} may not: {'; '.join(missing[:5])}"
            + (f" and {len(missing) - 5} more" if len(missing) > 5 else ""),  # noqa: PLR2004  (as many as are named)
            "make the role the owner of the database and its tables, or grant what is named",
        )
    return f"role {read_rights.role(conn)} may do what it must"


def database_clock(conn: Connection, wall: WallClock = system_wall) -> str:
    """Whether this machine and the database agree about the time."""
    before, there, after = wall(), read_rights.database_time(conn), wall()
    skew = abs(there - to_datetime((before + after) // 2))
    if skew > _SKEW:
        raise TroubleError(
            f"this machine and the database differ by {skew.total_seconds():.1f} s",
            "let both follow a time server (chrony, systemd-timesyncd)",
        )
    return f"within {skew.total_seconds():.3f} s"


def fleet_clock(conn: Connection, stream: NatsStream, wall: WallClock = system_wall) -> str:
    """Whether the fleet clock's row makes sense, and the stream mirrors it."""
    return judge_clock(read_clock(conn), mirrored_clock(stream), wall())


def judge_clock(row: FleetClock | None, mirror: FleetClock | None, wall: int) -> str:
    """Compare the row, its mirror and this machine's clock (microseconds)."""
    if row is None:
        raise TroubleError("the fleet clock was never set", "start a worker: it sets it", "warning")
    if mirror is None or mirror.rev != row.rev:
        rev = "none" if mirror is None else f"revision {mirror.rev}"
        raise TroubleError(
            f"the stream mirrors {rev} of the fleet clock, the row is revision {row.rev}: ingest stamps by another",
            "start a worker: it mirrors the row",
        )
    if row.wall - wall > _AHEAD:
        raise TroubleError(
            f"the fleet clock begins {(row.wall - wall) / MICROS:.0f} s from now: this machine's clock went back",
            "set this machine's clock by a time server",
        )
    fleet = row.fleet_at(wall)
    if row.speed == 1.0 and not is_production(row) and abs(fleet - wall) < _AHEAD and abs(fleet - wall) > _FLEET_SKEW:
        raise TroubleError(
            f"fleet time is {(fleet - wall) / MICROS:+.1f} s off this machine's clock",
            "set this machine's clock by a time server",
            "warning",
        )
    return f"revision {row.rev}, speed {row.speed:g}, {to_datetime(fleet).isoformat(timespec='seconds')}"


def stream_rights(url: str, publish: tuple[str, ...], subscribe: tuple[str, ...], of: str) -> str:
    """Whether a user of the stream's server may do what its process must."""
    try:
        refused = forbidden(url, publish=publish, subscribe=subscribe)
    except StreamError as error:
        raise TroubleError(str(error), "check user and password in the address") from error
    if refused:
        raise TroubleError(f"the user of {of} is refused {', '.join(refused)}", "grant its user these subjects")
    return f"the user of {of} may do what it must"


def stream_store(conn: Connection, stream: NatsStream) -> str:
    """How full the stream is, and what keeps it from being emptied."""
    fill = read_fill(stream)
    committed = {p: seq for p, (incarnation, seq) in positions(conn).items() if incarnation == fill.incarnation}
    held = backup_store.purge_floor(conn).backups > 0
    return judge_fill(fill, max(committed.values(), default=0), held=held)


def judge_fill(fill: Fill, committed: int, *, held: bool) -> str:
    """Say whether a stream will refuse soon.

    Args:
        fill: of the stream.
        committed: its highest committed seq.
        held: whether a backup holds the purge.
    """
    share = fill.bytes / fill.limit if fill.limit else 0.0
    said = f"{fill.bytes / 1024**2:.1f} MB of {fill.limit / 1024**2:.0f} MB, {fill.blocks} blocks"
    if share < ALARM:
        return said
    behind = fill.last_seq - committed
    if behind > fill.blocks // 2:
        mend = "the workers are behind: see `wellkept status`, start more of them (`wellkept up --workers N`)"
    elif held:
        mend = "take a backup: the stream keeps what came after the last one (or `wellkept backup --release`)"
    else:
        mend = "see the workers' logs for purges that were put off"
    raise TroubleError(f"{share:.0%} full: {said}", mend, "error" if share >= FULL else "warning")


def server_store(monitor: str) -> str:
    """How full the embedded server's store is: a full one refuses every new MQTT connection."""
    with urlopen(f"{monitor}/jsz", timeout=3) as answer:  # noqa: S310  (http on the loopback)
        said = json.load(answer)
    used, limit = int(said.get("storage", 0)), int(said["config"]["max_storage"])
    return judge_store(used, limit)


def judge_store(used: int, limit: int) -> str:
    """Say whether a store of `limit` bytes is too full."""
    said = f"{used / 1024**2:.1f} MB of {limit / 1024**2:.0f} MB"
    if limit and used / limit >= ALARM:
        raise TroubleError(
            f"{used / limit:.0%} full: {said}",
            "find who keeps messages: sessions of MQTT clients that do not come back, or a stream that is not purged",
            "error" if used / limit >= FULL else "warning",
        )
    return said


def backups(conn: Connection, wall: WallClock = system_wall) -> str:
    """Whether there is a recent backup, and room for the next one where the last one lies."""
    rows = [row for row in backup_store.list_backups(conn) if row.finished is not None]
    last = rows[0].finished if rows else None
    if last is None:
        raise TroubleError("there is no backup", "wellkept backup FOLDER, from time to time", "note")
    age = to_datetime(wall()) - last
    if age > _OLD_BACKUP:
        raise TroubleError(
            f"the last backup is {age.days} days old; the stream keeps everything since",
            "wellkept backup FOLDER",
            "warning",
        )
    return f"the last one is of {_minute(last)}, in {rows[0].folder}"


def _minute(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _held(port: int) -> str:
    holder = port_holder(port)
    return f", {holder}" if holder else ""


def _safe(url: str) -> str:
    return url.rsplit("@", 1)[-1].partition("?")[0]
