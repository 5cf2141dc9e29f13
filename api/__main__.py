"""The process: `python -m api`. Listens on the loopback unless told; ends in order on SIGTERM."""

from __future__ import annotations

import uvicorn

from api.app import create_app
from api.settings import load_settings


def main() -> None:
    """Serve until told to end; requests under way get ten seconds."""
    settings = load_settings()
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        access_log=False,  # addresses of owners' pages are secrets
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
