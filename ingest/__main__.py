"""`python -m ingest`: the ingest process."""

from __future__ import annotations

import signal
import sys
import threading

import structlog

from ingest import meters
from ingest.settings import IngestSettings
from ingest.shell import IngestProcess
from telemetry import logs
from telemetry.errors import WellkeptError

log = structlog.get_logger()


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    logs.set_up("ingest")
    settings = IngestSettings()  # type: ignore[call-arg]  # filled from the environment
    try:
        process = IngestProcess(settings, stop)
        meters.show(lambda: process.counts, lambda: process.state, settings.broker_log)
        process.run()
    except WellkeptError as error:
        log.error("ingest cannot go on", reason=str(error))  # noqa: TRY400  (the sentence says it all)
        return 1
    log.info("ingest ended", messages=process.counts.messages, rejects=process.counts.rejects)
    return 0


if __name__ == "__main__":
    sys.exit(main())
