"""Which table of service levels this process keeps: the product's own, or the file that `WELLKEPT_LEVELS` names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from servicedesk.level_policies import FILE, Levels, load_levels


class LevelsSettings(BaseSettings):
    """Where the table is.

    Attributes:
        levels: a file like `servicedesk/levels.toml`.
    """

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    levels: Path | None = None


@cache
def promised() -> Levels:
    """The table, read once.

    Raises:
        LevelsError: it is wrong, and says where.
    """
    return load_levels(LevelsSettings().levels or FILE)
