"""Runs the desk's jobs: procrastinate's async worker, sealed in this file, and the poller in a thread beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import psycopg
import structlog
from procrastinate import App, exceptions
from psycopg_pool import PoolTimeout
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.jobs import QUEUE, make_app
from storage.pool import open_pool
from telemetry.catalogue import load_catalogue
from worker import poller, rollups
from worker.jobs import Bureau, register
from worker.levels_file import promised
from worker.notify import channel_of

log = structlog.get_logger()

_CONCURRENCY = 4
# A notice is handed over within its transaction, and a mail server may take its time.
_IDLE = 30.0
_HEARTBEAT = 1.0
_POLL = 1.0
_LOOK = 0.1
_RETRY = 0.5
_GRACE = 5.0
_JOIN = 5.0


class JobSettings(BaseSettings):
    """How notices leave.

    Attributes:
        smtp_url: `smtp://…`; without it notices go to the mailbox.
        public_url: what owners' links begin with.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    smtp_url: str | None = None
    public_url: str = "http://127.0.0.1:8080"


def run(
    database_url: str,
    stop: threading.Event,
    fleet_now: Callable[[], int],
    settings: JobSettings | None = None,
) -> None:
    """Work until `stop` is set; a lost database is waited for, jobs of a dead worker are taken over.

    Args:
        database_url: `postgresql://…`.
        stop: ends it.
        fleet_now: fleet time in microseconds.
        settings: from the environment when None.
    """
    settings = settings or JobSettings()
    catalogue = load_catalogue()
    promised()  # a wrong table ends the process here, not in the middle of a job
    pool = open_pool(database_url, application="wellkept-desk", size=_CONCURRENCY, idle=_IDLE)
    bureau = Bureau(pool, catalogue, fleet_now, channel_of(settings.smtp_url), settings.public_url)
    keeper = rollups.Keeper(database_url, catalogue, fleet_now, stopping=stop.is_set)
    hand = threading.Thread(
        target=_ending, args=(stop, lambda: poller.run(database_url, stop, fleet_now)), name="poller", daemon=True
    )
    hand.start()
    try:
        _ending(stop, lambda: _serve(database_url, stop, bureau, keeper))
    finally:
        hand.join(_JOIN)
        pool.close()


def _ending(stop: threading.Event, part: Callable[[], None]) -> None:
    """Run a part; when it ends unasked the whole process does, and is started again by its supervisor."""
    try:
        part()
    finally:
        if not stop.is_set():
            log.error("a part of the job worker ended unasked; the process ends")
            stop.set()


def _serve(database_url: str, stop: threading.Event, bureau: Bureau, keeper: rollups.Keeper) -> None:
    def enrol(app: App) -> None:
        register(app, bureau)
        rollups.register(app, keeper)

    while not stop.is_set():
        try:
            keeper.begin()
            asyncio.run(_work(make_app(database_url, enrol), stop))
        except (exceptions.ConnectorException, psycopg.Error, PoolTimeout, OSError) as error:
            log.warning("the job worker starts anew", error=repr(error))
            stop.wait(_RETRY)


async def _work(app: App, stop: threading.Event) -> None:
    """One life of procrastinate's worker: ends when told to, or with the error that ended it."""
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=_CONCURRENCY,
                fetch_job_polling_interval=_POLL,
                shutdown_graceful_timeout=_GRACE,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=poller.STALLED_AFTER,
            )
        )
        ended = asyncio.create_task(_until(stop))
        await asyncio.wait({worker, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, worker):
            task.cancel()
        (result,) = await asyncio.gather(worker, return_exceptions=True)
        if isinstance(result, Exception) and not stop.is_set():
            raise result


async def _until(stop: threading.Event) -> None:
    # The event is a thread's: nothing to await.
    while not stop.is_set():  # noqa: ASYNC110  (see above)
        await asyncio.sleep(_LOOK)
