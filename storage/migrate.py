"""Brings a database to the schema of this code: numbered files, each applied once and frozen by its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg

from storage import jobs, timescale
from storage.pool import Connection
from storage.session_locks import SessionLock, release, wait_for
from telemetry.catalogue import load_catalogue
from telemetry.errors import WellkeptError

_FOLDER = Path(__file__).parent / "migrations"
_APPLIED = "select name, hash from schema_migration"
_CREATE = """
create table if not exists schema_migration (
    name text primary key, hash text not null, applied timestamptz not null default now()
)
"""
# Within this time a migration gets its locks or gives up, so that it never queues up behind a long reader.
_TIMEOUT = "set local lock_timeout = '10s'"


class MigrationError(WellkeptError):
    """A migration that was changed after it had been applied, or that this code does not know."""


def pending(conn: Connection) -> list[Path]:
    """Migrations not yet applied, in order.

    Raises:
        MigrationError: an applied migration's file has changed or is gone.
    """
    files = {path.name: path for path in sorted(_FOLDER.glob("*.sql"))}
    applied = {str(row[0]): str(row[1]) for row in conn.execute(_APPLIED)}
    for name, digest in applied.items():
        path = files.get(name)
        if path is None:
            raise MigrationError(f"the database has migration {name}, this version of the product does not: upgrade it")
        if _hash(path) != digest:
            raise MigrationError(f"{name} was changed after it was applied; add a new migration instead")
    return [path for name, path in files.items() if name not in applied]


def migrate(url: str) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own. Returns the names applied.

    With TimescaleDB in the database its tables then become hypertables, as far as they are none yet.

    Raises:
        MigrationError: as `pending`.
        psycopg.OperationalError: the database does not answer.
    """
    names: list[str] = []
    with psycopg.connect(url, application_name="wellkept-migrate", autocommit=True) as conn:
        wait_for(conn, SessionLock.MIGRATION)
        conn.execute(_CREATE)
        with conn.transaction():
            jobs.install(conn)
        for path in pending(conn):
            with conn.transaction():
                conn.execute(_TIMEOUT)
                # The files are this package's own source.
                conn.execute(path.read_bytes())
                conn.execute("insert into schema_migration (name, hash) values (%s, %s)", (path.name, _hash(path)))
            names.append(path.name)
        timescale.adopt(conn, load_catalogue())
        release(conn, SessionLock.MIGRATION)
    return names


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
