"""The process: `python -m api`. Listens on the loopback unless told; ends in order on SIGTERM."""

from __future__ import annotations

import sys

import structlog

from api.app import create_app
from api.server import Server
from api.settings import load_settings
from telemetry import logs

_DID_NOT_START = 3

log = structlog.get_logger()


def main() -> None:
    """Serve until told to end; requests under way get ten seconds."""
    logs.set_up("api")
    settings = load_settings()
    server = Server(create_app(settings), settings.http_host, settings.http_port)
    log.info("api serves", host=settings.http_host, port=settings.http_port, version=settings.version)
    server.run()
    log.info("api ended")
    if not server.started:
        sys.exit(_DID_NOT_START)


if __name__ == "__main__":
    main()
