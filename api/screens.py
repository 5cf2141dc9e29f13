"""Pictures of the owner's page, taken by the product itself from its own running pages."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from telemetry.errors import WellkeptError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=2",
)
_SECONDS = 60


class ScreensError(WellkeptError):
    """No browser, or a page that did not come."""


def take_screens(link: str, out: Path, *, width: int = 390, height: int = 1100) -> list[Path]:
    """Take the owner's page in both languages, at twice the resolution.

    Args:
        link: address of an owner's page, `http://…/o/{token}`.
        out: folder of the pictures; made when absent.
        width: of the window, CSS pixels.
        height: likewise.

    Returns:
        The files written, `owner-alert.en.png` and `owner-alert.zh.png`.

    Raises:
        ScreensError: no Chromium is installed, or it gave no picture.
    """
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise ScreensError("no Chromium is installed; install the package chromium and try again")
    out.mkdir(parents=True, exist_ok=True)
    return [
        _take(browser, f"{link}?lang={lang}", out / f"owner-alert.{lang}.png", width, height) for lang in ("en", "zh")
    ]


def _take(browser: str, address: str, file: Path, width: int, height: int) -> Path:
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            *_FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            f"--screenshot={file.resolve()}",
            address,
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  (our own arguments)
        except subprocess.TimeoutExpired as cause:
            raise ScreensError(f"the browser did not answer within {_SECONDS} s") from cause
    if done.returncode != 0 or not file.is_file():
        raise ScreensError(f"the browser gave no picture of {address.rsplit('/', 1)[0]}/…")
    return file
