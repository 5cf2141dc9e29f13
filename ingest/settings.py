"""Settings of the ingest process, from `WELLKEPT_*`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Where the broker and the stream are.

    Attributes:
        mqtt_url: `mqtt://user:password@host:port`.
        nats_url: `nats://user:password@host:port`.
        mqtt_client_id: of the persistent session; unlike others on the same broker.
        mqtt_window: messages the broker keeps in flight to one client; see `check_window`.
        share: group of a shared subscription (`$share/GROUP/…`) for several ingest processes on one broker; each needs
            a client id of its own, kept over restarts.
        rate: messages a second this process must carry.
        partitions: of the stream.
        stream_bytes: bound of the stream's store.
        adapters: file of foreign payloads to read too; see `ingest.adapters.sources`.
        broker_log: of the embedded broker, where what it forbids is counted.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    mqtt_url: str
    nats_url: str
    mqtt_client_id: str = "wellkept-ingest"
    mqtt_window: int = 20
    share: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    rate: float = 1_500.0
    partitions: int = 16
    stream_bytes: int = 2 * 1024**3
    adapters: Path | None = None
    broker_log: Path | None = None
