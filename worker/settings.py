"""Settings of the worker process, from `WELLKEPT_*`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Where the stream and the database are.

    Attributes:
        nats_url: `nats://user:password@host:port`.
        database_url: `postgresql://…`.
        partitions: of the stream.
        worker_name: under which this worker shares partitions with others; host and pid when empty.
        smtp_url: `smtp://user:password@host:port`; without it notices go to the mailbox.
        public_url: what owners' links begin with.
        stream_bytes: bound of the stream's store.
        data_dir: whose disk the measurements watch.
        home_assistant: prefix of Home Assistant's discovery topics (`homeassistant`); nobody is told when empty.
        org: whose appliances Home Assistant is told of.
        shadow: a file of catalogue entries to be tried on the live stream without opening tickets (docs/detectors.md).
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    nats_url: str
    database_url: str
    partitions: int = 16
    worker_name: str = Field(default="", pattern="^[A-Za-z0-9_-]{0,64}$")
    smtp_url: str | None = None
    public_url: str = "http://127.0.0.1:8080"
    stream_bytes: int = 2 * 1024**3
    data_dir: Path = Path()
    home_assistant: str = Field(default="", pattern="^[A-Za-z0-9_-]{0,64}$")
    org: str = "demo"
    shadow: Path | None = None
