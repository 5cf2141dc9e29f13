"""Servers under test: the real embedded ones, on the loopback, once a session; a fresh database a test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql

from stack.embedded_nats import EmbeddedNats
from stack.embedded_postgres import EmbeddedPostgres
from storage.migrate import migrate
from telemetry.identity import DeviceKey
from tests.databases import copied

_TEMPLATE = "wellkept_template"
_NUMBERS = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: one of them that began last would leave the other processes idle."""

    def early(item: pytest.Item) -> bool:
        return item.path.parent.name == "world" or any(item.iter_markers(n) for n in ("stack", "data", "browser"))

    items.sort(key=lambda item: not early(item))


@dataclass(frozen=True, slots=True)
class Servers:
    """Broker with stream, and database, shared by the session.

    `nats_url` is the worker's; `mqtt_url(user)` takes `ingest`, `gateway` (organisation `demo`) or `ORG.DEVICE`.
    """

    nats: EmbeddedNats
    postgres: EmbeddedPostgres

    @property
    def nats_url(self) -> str:
        return self.nats.nats_url("worker")

    def mqtt_url(self, user: str = "gateway") -> str:
        return self.nats.mqtt_url(user)

    def device_url(self, key: DeviceKey) -> str:
        self.nats.add_devices([key])
        return self.nats.device_url(key)

    @property
    def admin_url(self) -> str:
        return self.postgres.url("postgres")


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    # Not pytest's own: that is closed to other accounts, and as root the database runs under one.
    folder = Path(tempfile.mkdtemp(prefix="wellkept-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    # Databases come and go by the hundred here, and nobody misses one after a power cut.
    server = EmbeddedPostgres(server_folder / "postgres", options={"fsync": "off", "full_page_writes": "off"})
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def servers(server_folder: Path, postgres: EmbeddedPostgres) -> Iterator[Servers]:
    nats = EmbeddedNats(server_folder / "nats")
    nats.start()
    yield Servers(nats, postgres)
    nats.stop()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[EmbeddedNats]:
    """A server of the test's own: streams have fixed names, so tests do not share one."""
    server = EmbeddedNats(tmp_path / "nats")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def nats_url(nats: EmbeddedNats) -> str:
    return nats.nats_url("worker")


@pytest.fixture
def mqtt_url(nats: EmbeddedNats) -> str:
    return nats.mqtt_url("gateway")


@pytest.fixture(scope="session")
def database_template(postgres: EmbeddedPostgres) -> str:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    migrate(postgres.url(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, database_template: str) -> Iterator[str]:
    """A fresh, migrated database."""
    with copied(postgres, database_template, f"test_{os.getpid()}_{next(_NUMBERS)}") as url:
        yield url


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The recordings; tests that need them are skipped, with a line that says so, where they are absent."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("WELLKEPT_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings: set WELLKEPT_DATA (looked in {folder})")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium: install the package chromium")
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"])
        yield made
        made.close()
