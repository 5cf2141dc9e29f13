"""What can be set from outside: environment variables `WELLKEPT_*` and the command line, read once at the edge."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATA_DIR = Path(".wellkept")


class Settings(BaseSettings):
    """Settings of `wellkept up`. A part whose address is given is not started but used.

    Attributes:
        data_dir: everything the product keeps on this machine.
        mqtt_url: `mqtt://user:password@host:port` of a broker of your own.
        nats_url: `nats://…` of a stream of your own.
        database_url: `postgresql://…` of a database of your own.
        http_host: address the pages and the API listen on; the loopback unless told.
        http_port: their port; any free one when 0.
        public_url: what owners' links begin with; the listening address when empty.
        smtp_url: `smtp://…`; without it notices go to the built-in mailbox.
        org: organisation whose devices the embedded broker's user `gateway` speaks for.
        mqtt_port: port of the embedded MQTT listener, any free one when 0.
        stream_bytes: bound of the stream where it is created; it refuses beyond and never discards.
        workers: worker processes that share the partitions.
        ingests: ingest processes that share a broker of your own; the embedded one does not share.
        share: name of their group on the broker.
        partitions: of the stream, fixed when it is created.
        home_assistant: prefix under which Home Assistant discovers the appliances of `org`, usually `homeassistant`.
        adapters: file of foreign payloads that ingest reads too (docs/adapters.md).
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    data_dir: Path = DEFAULT_DATA_DIR
    mqtt_url: str = ""
    nats_url: str = ""
    database_url: str = ""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65_535)
    public_url: str = ""
    smtp_url: str = ""
    org: str = "demo"
    mqtt_port: int = Field(default=0, ge=0, le=65_535)
    home_assistant: str = Field(default="", pattern="^[A-Za-z0-9_-]{0,64}$")
    adapters: Path | None = None
    workers: int = Field(default=1, ge=1, le=64)
    ingests: int = Field(default=1, ge=1, le=16)
    share: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    partitions: int = Field(default=16, ge=1, le=1_024)
    stream_bytes: int = Field(default=2 * 1024**3, ge=1024**2)
