"""What the process is told by its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the process, each from `WELLKEPT_…`.

    Attributes:
        database_url: where the product's data is.
        http_host: address to listen on; the loopback unless told.
        http_port: port to listen on.
        public_url: what people's browsers call this service by; links and secure cookies follow it.
        smtp_url: set where notices leave by mail; absent, the mailbox page shows them.
        levels: a table of service levels like `servicedesk/levels.toml`; the product's own when absent.
        pool_size: connections to the database.
        rate_per_s: requests a second that a token may make for long, twice as many at once.
        streams_most: event streams that one process serves at a time.
        webhook_allow: networks that webhooks may name though they are not public, as `10.20.0.0/16, fd00:1::/64`.
        sim_folder: of a simulated fleet that engineers may steer from the pages; none when absent.
        oidc_issuer: the organisation's own sign-in (OpenID Connect) for staff; none when empty.
        oidc_client_id: how this service is called there.
        oidc_client_secret: what it proves that with.
        oidc_roles: roles of people who come for the first time, as `groups:wk-dispatch=dispatcher,wk-admin=admin`;
            without it an administrator links each.
        trusted_proxies: addresses of reverse proxies whose `X-Forwarded-For` is believed, comma-separated.
        version: shown by `/healthz` and in the OpenAPI document.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    database_url: str = Field(default=..., repr=False)
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    public_url: str = ""
    smtp_url: str | None = Field(default=None, repr=False)
    levels: Path | None = None
    pool_size: int = 8
    rate_per_s: float = Field(default=500.0, gt=0)
    streams_most: int = Field(default=100, ge=0)
    webhook_allow: str = ""
    sim_folder: Path | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = Field(default="", repr=False)
    oidc_roles: str = ""
    trusted_proxies: str = ""
    version: str = "0.1.0"

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach us by https."""
        return self.public_url.startswith("https://")

    @property
    def oidc(self) -> bool:
        """Whether people of ours may sign in elsewhere."""
        return bool(self.oidc_issuer and self.oidc_client_id)

    @property
    def mailbox(self) -> bool:
        """Whether the built-in mail reader is there."""
        return self.smtp_url is None


def load_settings() -> Settings:
    """Settings of the environment.

    Raises:
        pydantic.ValidationError: `WELLKEPT_DATABASE_URL` is missing, or a value does not fit.
    """
    return Settings()
