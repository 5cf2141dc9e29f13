"""Restore: the dump into an empty database; what came after it is read again from the stream at the next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from stack import run_state
from stack.backup import DUMP, NOTE, Manifest, run_tool
from stack.embedded_nats import EmbeddedNats
from stack.embedded_postgres import EmbeddedPostgres
from stack.errors import StackError
from stack.settings import Settings
from storage import backup_store
from storage.clock_store import write_clock
from storage.migrate import migrate
from storage.pool import connect
from stream.heads import Fill, read_fill
from stream.nats_client import NatsStream
from stream.notes import get_note, mirrored_clock


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        backup: its id.
        began: when it was taken.
        messages: settled in the restored database.
        tickets: likewise.
        blocks_to_read: entries that the stream holds; those behind the restored positions are read again.
        complete: whether the stream still holds everything since the backup.
    """

    backup: str
    began: str
    messages: int
    tickets: int
    blocks_to_read: int
    complete: bool


@dataclass(frozen=True, slots=True)
class _Servers:
    database_url: str
    nats_url: str
    postgres: EmbeddedPostgres | None


def restore(
    folder: Path,
    settings: Settings,
    *,
    replace_data: bool = False,
    accept_loss: bool = False,
    loaded: bool = False,
) -> Restored:
    """Bring a backup back; the product must be stopped, and is started afterwards as usual.

    Args:
        folder: of `wellkept backup`.
        settings: where the product lies.
        replace_data: drop what the embedded database holds now.
        accept_loss: go on although the stream does not hold everything since the backup.
        loaded: the dump was loaded by other means; check it and do the rest.

    Raises:
        StackError: a damaged backup, a product that runs, a database that is not empty, a stream that has moved on.
    """
    manifest = Manifest.load(folder)
    with _servers(settings) as servers:
        stream = NatsStream(servers.nats_url, name="restore")
        try:
            fill = read_fill(stream)
            missing = _missing(manifest, fill, get_note(stream, NOTE))
            if missing and not accept_loss:
                raise StackError(f"{missing}; --accept-loss restores all the same")
            if not loaded:
                _empty(servers, replace_data=replace_data)
                _load(folder / DUMP, servers.database_url, manifest)
            _check(servers.database_url, manifest)
            clock = mirrored_clock(stream)
            with connect(servers.database_url, application="wellkept-restore") as conn:
                if clock is not None:
                    # The dump's clock is as old as the dump; fleet time never goes back.
                    write_clock(conn, clock)
                backup_store.settle_restored(conn, UUID(manifest.id), datetime.fromisoformat(manifest.finished))
            migrate(servers.database_url)
        finally:
            stream.close()
    standing = manifest.standing
    return Restored(manifest.id, manifest.began, standing.messages, standing.tickets, fill.blocks, not missing)


def _missing(manifest: Manifest, fill: Fill, note: bytes | None) -> str | None:
    """Why the stream may not hold everything behind the backup's positions, or None."""
    stood = {incarnation for incarnation, seq in manifest.standing.positions.values() if seq}
    if stood - {fill.incarnation}:
        return (
            "the stream is another one than when the backup was taken: what devices had receipted since is gone "
            "with the old one"
        )
    last = json.loads(note)["id"] if note else None
    if last != manifest.id:
        return (
            f"a later backup ({last}) let the stream forget what lies between the two: restore that one"
            if last
            else "the stream does not know this backup: it may have forgotten what came after it"
        )
    return None


def _empty(servers: _Servers, *, replace_data: bool) -> None:
    with connect(servers.database_url, application="wellkept-restore") as conn:
        empty = backup_store.is_empty(conn)
    if empty:
        return
    if servers.postgres is None:
        raise StackError("the database of WELLKEPT_DATABASE_URL is not empty; create an empty one and name that")
    if not replace_data:
        raise StackError("the database is not empty; --replace drops what it holds")
    servers.postgres.recreate()


def _load(dump: Path, database_url: str, manifest: Manifest) -> None:
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    if manifest.standing.timescale is not None:
        raise StackError(
            "the backup holds TimescaleDB's catalogue: restore its database.dump by timescaledb_pre_restore(), "
            "pg_restore and timescaledb_post_restore(), then run `wellkept restore FOLDER --loaded`"
        )
    run_tool(["pg_restore", *options, "--dbname", _database(database_url), str(dump)], database_url)


def _check(database_url: str, manifest: Manifest) -> None:
    with connect(database_url, application="wellkept-restore") as conn:
        found = backup_store.standing(conn)
    same = replace(found, server=manifest.standing.server, timescale=manifest.standing.timescale)
    if same != manifest.standing:
        raise StackError(f"the restored database holds {found}, the backup {manifest.standing}")


def _database(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@contextmanager
def _servers(settings: Settings) -> Iterator[_Servers]:
    """The servers of a stopped product, started for the restore as far as they are its own."""
    data_dir = settings.data_dir.resolve()
    earlier = run_state.load(data_dir)
    own = not (settings.database_url and settings.nats_url)
    running = earlier is not None and earlier.supervisor.alive and earlier.supervisor.pid != run_state.own_part().pid
    if own and earlier is not None and running:
        raise StackError(f"process {earlier.supervisor.pid} runs the product in {data_dir}; stop it first")
    if own and earlier is not None:
        run_state.end_orphans(earlier)
    nats = None if settings.nats_url else EmbeddedNats(data_dir / "nats", org=settings.org)
    postgres = None if settings.database_url else EmbeddedPostgres(data_dir / "postgres")
    try:
        if nats is not None:
            nats.start()
        if postgres is not None:
            postgres.start()
        yield _Servers(
            settings.database_url or (postgres.url() if postgres is not None else ""),
            settings.nats_url or (nats.nats_url() if nats is not None else ""),
            postgres,
        )
    finally:
        for server in (postgres, nats):
            if server is not None:
                server.stop()
