"""Everything on one machine: starts servers and processes, starts a dead one again, drains in order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from ingest.adapters.sources import load_sources
from stack import run_state
from stack.child import Backoff, Child
from stack.clockwork import Clockwork
from stack.embedded_nats import EmbeddedNats
from stack.embedded_postgres import EmbeddedPostgres
from stack.errors import StackError, StartError
from stack.nats_config import INFLIGHT
from stack.process import free_port, identify, tail, wait_until
from stack.run_state import PartState, RunState
from stack.settings import Settings
from storage.migrate import migrate
from storage.overview import Unreachable
from storage.pool import Connection, connect
from stream.nats_client import NatsStream
from telemetry.clock import system_wall
from telemetry.errors import WellkeptError

Told = Callable[[str], None]
_T = TypeVar("_T")
_TICK_S = 0.1
_READY_S = 60.0


class Supervisor:
    """One run of the product.

    Args:
        settings: which parts are ours and where everything lies.
        told: hears one sentence about each thing that happens.
    """

    def __init__(self, settings: Settings, told: Told) -> None:
        if settings.ingests > 1 and not settings.mqtt_url:
            raise StackError(
                f"{settings.ingests} ingest processes need a broker with shared subscriptions (Mosquitto, EMQX, "
                "HiveMQ), which the embedded one is not: name yours by WELLKEPT_MQTT_URL, or run one"
            )
        self.settings = settings
        self.data_dir: Path = settings.data_dir.resolve()
        self._told = told
        self._stopping = threading.Event()
        self.nats: EmbeddedNats | None = None
        self.postgres: EmbeddedPostgres | None = None
        if not (settings.mqtt_url and settings.nats_url):
            # A file that cannot be used is refused before anything starts.
            foreign = load_sources(settings.adapters).filters if settings.adapters is not None else ()
            self.nats = EmbeddedNats(
                self.data_dir / "nats",
                org=settings.org,
                mqtt_port=settings.mqtt_port or None,
                foreign=foreign,
                home=settings.home_assistant,
            )
        if not settings.database_url:
            self.postgres = EmbeddedPostgres(self.data_dir / "postgres")
        self.children: list[Child] = []
        self._server_backoff = {"nats": Backoff(), "postgres": Backoff()}
        self._server_restarts = {"nats": 0, "postgres": 0}
        self.http_port = settings.http_port
        self.clockwork: Clockwork | None = None
        self._stream: NatsStream | None = None
        self._clock_conn: Connection | None = None
        self._beaten = 0.0
        self._more: Mapping[str, dict[str, str]] = {}

    # addresses

    @property
    def database_url(self) -> str:
        """Of the database, password included."""
        return self.settings.database_url or _given(self.postgres).url()

    def nats_url(self, user: str = "worker") -> str:
        """Of the stream, for one of our users."""
        return self.settings.nats_url or _given(self.nats).nats_url(user)

    def mqtt_url(self, user: str = "ingest") -> str:
        """Of the broker, for one of our users."""
        return self.settings.mqtt_url or _given(self.nats).mqtt_url(user)

    @property
    def http_url(self) -> str:
        """Of the pages and the API, as seen from this machine."""
        host = self.settings.http_host
        return f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{self.http_port}"  # noqa: S104  (compared only)

    # life

    def start_servers(self) -> None:
        """Start broker, stream and database as far as they are ours, and bring the schema up to date.

        Raises:
            StackError: another supervisor runs here, or a server cannot be started.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._end_earlier_run()
        if self.nats is not None:
            self.nats.start()
            self._told(f"broker and stream: MQTT on 127.0.0.1:{self.nats.ports.mqtt}, pid {self.nats.pid}")
        if self.postgres is not None:
            self.postgres.start()
            self._told(f"database: 127.0.0.1:{self.postgres.port}, pid {self.postgres.pid}")
        applied = migrate(self.database_url)
        if applied:
            self._told(f"schema: {len(applied)} migrations applied")
        # Before anything stamps a time: a clock of its own pace goes on where the product was last alive.
        self._stream = NatsStream(
            self.nats_url(),
            name="supervisor",
            partitions=self.settings.partitions,
            max_bytes=self.settings.stream_bytes,
        )
        self._clock_conn = connect(self.database_url, application="wellkept-clock", autocommit=True)
        self.clockwork = Clockwork(self._clock_conn, self._stream, system_wall, self.data_dir)
        self.clockwork.resume()
        self.http_port = free_port(self.settings.http_port or self._earlier_http_port())

    def start_processes(self, more: Mapping[str, dict[str, str]] | None = None) -> None:
        """Start ingest, the workers and api; `wait_ready` waits for them.

        Args:
            more: further environment by module.
        """
        self._more = more or {}
        for n in range(1, self.settings.ingests + 1):
            name = "ingest" if n == 1 else f"ingest-{n}"
            self.add(name, ("-m", "ingest"), self._environment("ingest") | self._sharing(name))
        plan = [(f"worker-{n}", "worker") for n in range(1, self.settings.workers + 1)]
        for name, module in [*plan, ("api", "api")]:
            self.add(name, ("-m", module), self._environment(module))
        self.save()

    def wait_ready(self) -> None:
        """Wait until the API is ready.

        Raises:
            StartError: it does not become so; the end of its log is in the message.
        """
        api = next(child for child in self.children if child.name == "api")
        if not wait_until(lambda: self.ready() or (self.tend() and False), _READY_S):
            raise StartError("api", f"not ready within {_READY_S:g} s at {self.http_url}/readyz", tail(api.log))
        self._told(f"ready: {self.http_url}")

    def add(self, name: str, arguments: tuple[str, ...], environment: dict[str, str], *, finite: bool = False) -> Child:
        """Start one more process and look after it."""
        environment = {**environment, "WELLKEPT_WORKER_NAME": name} if "worker" in arguments else environment
        if {"ingest", "worker"} & set(arguments):
            environment = {**environment, "WELLKEPT_METRICS_PORT": str(free_port())}
        child = Child(name, arguments, environment, self.data_dir / "logs" / f"{name}.log", finite=finite)
        child.start()
        self.children.append(child)
        return child

    def run(self) -> None:
        """Look after everything until `ask_to_stop`."""
        while not self._stopping.wait(_TICK_S):
            self.tend()

    def ask_to_stop(self) -> None:
        """End `run`; safe in a signal handler."""
        self._stopping.set()

    def tend(self) -> bool:
        """Start again what has died. Returns whether something changed."""
        changed = self._tend_servers()
        if self.clockwork is not None and time.monotonic() - self._beaten >= 1.0:
            self.clockwork.beat()
            self._beaten = time.monotonic()
        for child in self.children:
            changed |= child.tend(self._told)
        if changed:
            self.save()
        return changed

    def stop(self) -> None:
        """Drain in order: what brings data in first, then who stores it, the pages, and the servers last.

        Each step is taken whatever became of those before it.
        """
        with contextlib.ExitStack() as steps:  # the last one entered is taken first
            steps.callback(self.save)
            for server in (self.postgres, self.nats):
                if server is not None:
                    steps.callback(server.stop)
            if self._clock_conn is not None:
                steps.callback(self._clock_conn.close)
            if self._stream is not None:
                steps.callback(self._stream.close)
            for child in sorted(self.children, key=lambda each: _stop_rank(each.name), reverse=True):
                steps.callback(self._stop_with_its_like, child)
            if self.clockwork is not None:
                with contextlib.suppress(WellkeptError, Unreachable):
                    self.clockwork.stand()

    def _stop_with_its_like(self, child: Child) -> None:
        # Workers leave at the same time: one after the other, each would first take over from the one before.
        for other in self.children:
            if other is not child and _stop_rank(other.name) == _stop_rank(child.name):
                other.ask()
        child.stop()

    def reconnect_clock(self) -> None:
        """Give the clock another connection after the database was away.

        Raises:
            Unreachable: it still is.
        """
        fresh = connect(self.database_url, application="wellkept-clock", autocommit=True)
        if self._clock_conn is not None:
            self._clock_conn.close()
        self._clock_conn = fresh
        if self.clockwork is not None:
            self.clockwork.rebind(fresh)

    def ready(self) -> bool:
        """Whether the API says that it is ready."""
        try:
            with urlopen(f"{self.http_url}/readyz", timeout=2) as answer:  # noqa: S310  (http on the loopback)
                return bool(answer.status == 200)  # noqa: PLR2004  (HTTP's OK)
        except (URLError, OSError):
            return False

    def save(self) -> None:
        """Write what runs."""
        parts = [*self._server_parts()]
        for child in self.children:
            alive = child.identity if child.running else None
            port = child.environment.get("WELLKEPT_METRICS_PORT")
            metrics = f"http://127.0.0.1:{port}/metrics" if port else None
            address = self.http_url if child.name == "api" else metrics
            parts.append(
                PartState(
                    child.name,
                    alive.pid if alive else None,
                    alive.started if alive else None,
                    child.restarts,
                    address,
                )
            )
        secrets = {
            "database_url": self.database_url,
            "nats_url": self.nats_url(),
            "mqtt_url": self.mqtt_url(),
            "gateway_url": self.settings.mqtt_url or _given(self.nats).mqtt_url("gateway"),
            "http_url": self.http_url,
        }
        monitor = self.nats.monitor_url if self.nats is not None and not self.settings.nats_url else None
        RunState(run_state.own_part(), parts, secrets, monitor).save(self.data_dir)

    # inside

    def _environment(self, module: str) -> dict[str, str]:
        environment = {
            "WELLKEPT_DATA_DIR": str(self.data_dir),
            "WELLKEPT_NATS_URL": self.nats_url("ingest" if module == "ingest" else "worker"),
            "WELLKEPT_PUBLIC_URL": self.settings.public_url or self.http_url,
        }
        if module == "ingest":
            environment["WELLKEPT_MQTT_URL"] = self.mqtt_url()
            if self.settings.adapters is not None:
                environment["WELLKEPT_ADAPTERS"] = str(self.settings.adapters.resolve())
            if not self.settings.mqtt_url:
                environment["WELLKEPT_MQTT_WINDOW"] = str(INFLIGHT)
                environment["WELLKEPT_BROKER_LOG"] = str(_given(self.nats).log)
        else:
            environment["WELLKEPT_DATABASE_URL"] = self.database_url
        if module == "worker":
            environment |= {"WELLKEPT_ORG": self.settings.org, "WELLKEPT_HOME_ASSISTANT": self.settings.home_assistant}
        if module == "api":
            environment["WELLKEPT_HTTP_HOST"] = self.settings.http_host
            environment["WELLKEPT_HTTP_PORT"] = str(self.http_port)
        if self.settings.smtp_url:
            environment["WELLKEPT_SMTP_URL"] = self.settings.smtp_url
        return environment | self._more.get(module, {})

    def _sharing(self, name: str) -> dict[str, str]:
        """What lets several ingest processes share the messages of one broker."""
        if self.settings.ingests == 1:
            return {"WELLKEPT_SHARE": self.settings.share}
        return {"WELLKEPT_SHARE": self.settings.share or "ingest", "WELLKEPT_MQTT_CLIENT_ID": f"wellkept-{name}"}

    def _end_earlier_run(self) -> None:
        earlier = run_state.load(self.data_dir)
        if earlier is None:
            return
        own = run_state.own_part()
        if earlier.supervisor.alive and earlier.supervisor.pid != own.pid:
            raise StackError(
                f"{self.data_dir} is in use by process {earlier.supervisor.pid}; stop it, or give another --data-dir"
            )
        for name in run_state.end_orphans(earlier):
            self._told(f"ended {name}, left behind by an earlier run")

    def _earlier_http_port(self) -> int | None:
        earlier = run_state.load(self.data_dir)
        return urlsplit(earlier.secrets["http_url"]).port if earlier is not None else None

    def _tend_servers(self) -> bool:
        changed = False
        for name, server in (("nats", self.nats), ("postgres", self.postgres)):
            if server is None or server.pid is not None:
                continue
            backoff, now = self._server_backoff[name], time.monotonic()
            if backoff.due is None:
                self._told(f"{name} is gone; next start in {backoff.ended(now):.1f} s, see {server.log}")
            elif now >= backoff.due:
                before = self.nats_url(), self.database_url
                try:
                    server.start()
                except StackError as error:
                    backoff.ended(now)
                    self._told(str(error))
                    continue
                backoff.started(time.monotonic())
                self._server_restarts[name] += 1
                self._told(f"{name} is back, pid {server.pid}")
                changed = True
                if before != (self.nats_url(), self.database_url):
                    self._restart_children()
        return changed

    def _restart_children(self) -> None:
        # The server came back on another port: its old one was taken meanwhile.
        for child in self.children:
            module = child.arguments[1]
            if module in {"ingest", "worker", "api"}:
                with contextlib.suppress(OSError):
                    child.stop()
                child.environment = {**child.environment, **self._environment(module)}
                child.finished = False
                child.start()

    def _server_parts(self) -> list[PartState]:
        parts = []
        addresses = {"nats": self.nats_url(), "postgres": self.database_url}
        for name, server in (("nats", self.nats), ("postgres", self.postgres)):
            if server is None:
                parts.append(PartState(name, address=_safe(addresses[name]), external=True))
                continue
            who = identify(server.pid) if server.pid is not None else None
            parts.append(
                PartState(
                    name,
                    who.pid if who else None,
                    who.started if who else None,
                    self._server_restarts[name],
                    _safe(addresses[name]),
                )
            )
        broker = PartState("mqtt", address=_safe(self.mqtt_url()), external=bool(self.settings.mqtt_url))
        return [*parts, broker]


def _stop_rank(name: str) -> int:
    order = ("people", "fleet", "ingest", "worker", "api")
    return next((rank for rank, start in enumerate(order) if name.startswith(start)), 0)


def _safe(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port}{parts.path}"


def _given(value: _T | None) -> _T:
    if value is None:  # the constructor decides
        raise StackError("this part was neither started nor given by a setting")
    return value
