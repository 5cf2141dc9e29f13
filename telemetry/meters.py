"""Measurements of a process for Prometheus, on an address of its own; by default the loopback."""

from __future__ import annotations

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from pydantic_settings import BaseSettings, SettingsConfigDict

log = structlog.get_logger()


class MeterSettings(BaseSettings):
    """Where a process shows what it measures.

    Attributes:
        metrics_host: address to listen on; the loopback unless told.
        metrics_port: port; none is opened without one.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0


def serve(registry: CollectorRegistry, settings: MeterSettings | None = None) -> None:
    """Answer `/metrics` in a thread. A port that is taken costs the measurements, never the process."""
    settings = settings or MeterSettings()
    if not settings.metrics_port:
        return
    try:
        start_http_server(settings.metrics_port, addr=settings.metrics_host, registry=registry)
    except OSError as error:
        log.warning(
            "no measurements: the port cannot be opened",
            address=f"{settings.metrics_host}:{settings.metrics_port}",
            error=str(error),
        )
