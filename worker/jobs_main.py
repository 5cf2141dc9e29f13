"""Runs the desk's jobs: procrastinate's async worker, sealed in this file, and the poller in a thread beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psycopg
import structlog
from procrastinate import App, exceptions
from psycopg_pool import PoolTimeout
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicedesk.hook_address import read_allowed
from servicedesk.office import Office
from storage.desk import PgDesk
from storage.jobs import HOOKS, QUEUE, make_app
from storage.pool import Connection, open_pool
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall, to_datetime
from telemetry.ids import maker
from worker import hooks, poller, rollups
from worker.hook_post import Poster
from worker.jobs import Bureau, Patience, register
from worker.levels_file import promised
from worker.notify import channel_of

log = structlog.get_logger()

_CONCURRENCY = 4
_HOOKS_AT_ONCE = 8
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
        webhook_allow: networks that webhooks may name though they are not public, as `10.20.0.0/16, fd00:1::/64`.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    smtp_url: str | None = None
    public_url: str = "http://127.0.0.1:8080"
    webhook_allow: str = ""


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
    pool = open_pool(database_url, application="wellkept-desk", size=_CONCURRENCY + 2, idle=_IDLE)
    bureau = Bureau(pool, catalogue, fleet_now, channel_of(settings.smtp_url), settings.public_url)
    sender = _sender(bureau, settings)
    keeper = rollups.Keeper(database_url, catalogue, fleet_now, stopping=stop.is_set)
    hand = threading.Thread(
        target=_ending, args=(stop, lambda: poller.run(database_url, stop, fleet_now)), name="poller", daemon=True
    )
    eye = threading.Thread(
        target=_ending, args=(stop, lambda: hooks.watch(database_url, stop, _wall)), name="hooks", daemon=True
    )
    hand.start()
    eye.start()
    try:
        _ending(stop, lambda: _serve(database_url, stop, bureau, keeper, sender))
    finally:
        hand.join(_JOIN)
        eye.join(_JOIN)
        pool.close()


def _wall() -> datetime:
    return to_datetime(system_wall())


def _sender(bureau: Bureau, settings: JobSettings) -> hooks.Sender:
    """What sends to other systems' endpoints; with connections of the same pool, none of them while it sends."""
    new_id = maker(bureau.fleet_now, bureau.rng)

    def office(conn: Connection) -> Office:
        return Office(PgDesk(conn, settings.public_url), bureau.catalogue, new_id, levels=promised())

    return hooks.Sender(
        transaction=bureau.pool.connection,
        office=office,
        wall=_wall,
        fleet=lambda: to_datetime(bureau.fleet_now()),
        poster=Poster(read_allowed(settings.webhook_allow)),
    )


def _ending(stop: threading.Event, part: Callable[[], None]) -> None:
    """Run a part; when it ends unasked the whole process does, and is started again by its supervisor."""
    try:
        part()
    finally:
        if not stop.is_set():
            log.error("a part of the job worker ended unasked; the process ends")
            stop.set()


def _serve(
    database_url: str, stop: threading.Event, bureau: Bureau, keeper: rollups.Keeper, sender: hooks.Sender
) -> None:
    def enrol(app: App) -> None:
        register(app, bureau)
        hooks.register(app, sender, Patience())
        rollups.register(app, keeper)

    while not stop.is_set():
        try:
            keeper.begin()
            asyncio.run(_work(make_app(database_url, enrol), stop))
        except (exceptions.ConnectorException, psycopg.Error, PoolTimeout, OSError) as error:
            log.warning("the job worker starts anew", error=repr(error))
            stop.wait(_RETRY)


async def _work(app: App, stop: threading.Event) -> None:
    """One life of procrastinate's workers: ends when told to, or with the error that ended one.

    What is sent to other systems has a worker of its own: strangers' servers that do not answer keep nothing waiting.
    """
    # One thread for each job: the loop's own executor has fewer on a small machine, and its threads would be shared.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_CONCURRENCY + _HOOKS_AT_ONCE + 2))
    async with app.open_async():
        workers = [
            asyncio.create_task(
                app.run_worker_async(
                    queues=[queue],
                    concurrency=concurrency,
                    fetch_job_polling_interval=_POLL,
                    shutdown_graceful_timeout=_GRACE,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=_HEARTBEAT,
                    stalled_worker_timeout=poller.STALLED_AFTER,
                )
            )
            for queue, concurrency in ((QUEUE, _CONCURRENCY), (HOOKS, _HOOKS_AT_ONCE))
        ]
        ended = asyncio.create_task(_until(stop))
        await asyncio.wait({*workers, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, *workers):
            task.cancel()
        for result in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(result, Exception) and not stop.is_set():
                raise result


async def _until(stop: threading.Event) -> None:
    # The event is a thread's: nothing to await.
    while not stop.is_set():  # noqa: ASYNC110  (see above)
        await asyncio.sleep(_LOOK)
