"""`python -m worker`: the worker process, its pipeline in the main thread, jobs and housekeeping beside it."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import sys
import threading
import uuid

import structlog

from detectors.bank import Bank
from stream.nats_client import NatsStream
from stream.nats_events import NatsEvents
from stream.nats_leases import NatsLeases
from telemetry import logs
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall, to_datetime
from telemetry.errors import WellkeptError
from worker import jobs_main, meters
from worker.home_news import HomeNews
from worker.housekeeping import Housekeeping
from worker.lab import Bench
from worker.leases import LeaseKeeper
from worker.ownership import Ownership
from worker.pipeline import Pipeline
from worker.relay import Relay
from worker.settings import WorkerSettings
from worker.shadow import ShadowKeeper, read_shadow
from worker.vitals import Vitals

log = structlog.get_logger()

_JOIN = 10.0
_GC_YOUNG = 50_000


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: stop.set())
    settings = WorkerSettings()  # type: ignore[call-arg]  # filled from the environment
    name = settings.worker_name or f"{re.sub(r'[^A-Za-z0-9_-]', '-', socket.gethostname())[:50]}-{os.getpid()}"
    logs.set_up(name)
    try:
        catalogue = load_catalogue()
        stream = NatsStream(
            settings.nats_url, name=name, partitions=settings.partitions, max_bytes=settings.stream_bytes
        )
    except WellkeptError as error:
        log.error("the worker cannot start", reason=str(error))  # noqa: TRY400  (the sentence says it all)
        return 1
    housekeeping = Housekeeping(stream, settings.database_url)
    ownership = Ownership(name, uuid.uuid4().hex, stream.partitions)
    leases = LeaseKeeper(ownership, NatsLeases(stream), ended=stop.set)
    pipeline = Pipeline(stream, leases, settings.database_url, catalogue, Bank(catalogue))
    vitals = Vitals(name, stream, pipeline)
    meters.show(pipeline, vitals, settings.data_dir)

    threads = [
        threading.Thread(target=vitals.run, args=(stop,), name="vitals", daemon=True),
        threading.Thread(target=housekeeping.run, args=(stop,), name="housekeeping", daemon=True),
        threading.Thread(target=Bench(settings.database_url).run, args=(stop,), name="bench", daemon=True),
        threading.Thread(
            target=jobs_main.run, args=(settings.database_url, stop, housekeeping.fleet_now), name="jobs", daemon=True
        ),
    ]
    if settings.home_assistant:
        news = HomeNews(stream, settings.database_url, catalogue, settings.org, settings.home_assistant)
        threads.append(threading.Thread(target=news.run, args=(stop,), name="home", daemon=True))
    relay = Relay(NatsEvents(stream), settings.database_url, lambda: to_datetime(system_wall()))
    threads.append(threading.Thread(target=relay.run, args=(stop,), name="relay", daemon=True))
    if settings.shadow is not None:
        try:
            shadow = ShadowKeeper(
                settings.database_url,
                read_shadow(settings.shadow.stem, catalogue, settings.shadow),
                housekeeping.fleet_now,
            )
        except WellkeptError as error:
            log.error("the worker cannot start", reason=str(error))  # noqa: TRY400  (likewise)
            return 1
        threads.append(threading.Thread(target=shadow.run, args=(stop,), name="shadow", daemon=True))
    _collect_seldom()
    for thread in threads:
        thread.start()
    leases.start()
    try:
        pipeline.run(stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join(_JOIN)
        stream.close()
    totals = pipeline.totals
    log.info("worker ended", messages=totals.messages, duplicates=totals.duplicates, dead=totals.dead)
    return 0


def _collect_seldom() -> None:
    """Look for reference cycles seldom: a batch makes and drops thousands of objects, and hardly one is in a cycle.

    At the interpreter's own thresholds the search took a fifth of the pipeline's time.
    """
    gc.freeze()
    gc.set_threshold(_GC_YOUNG, 10, 20)


if __name__ == "__main__":
    sys.exit(main())
