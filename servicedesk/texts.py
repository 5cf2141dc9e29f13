"""The desk's texts, from a table in both languages; dates and times in the reader's language and zone."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time

from servicedesk.model import Appliance, Window
from telemetry.catalogue import KindSpec, Text

_FILE = Path(__file__).with_name("texts.toml")
LOCALE = {"zh": "zh_Hans_CN", "en": "en_GB"}
"""Babel's name of each language."""
_DAY = {"zh": "M月d日EEEE", "en": "EEEE d MMMM"}
_EARLIER = timedelta(days=3)
_SKEW = 0.2
_SHORT_DAY = {"zh": "M月d日", "en": "d MMMM"}


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice's texts with their placeholders."""

    subject: Text
    paragraphs: tuple[Text, ...]


@cache
def _table() -> dict[str, dict[str, dict[str, object]]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def text(group: str, key: str) -> Text:
    """A single text, e.g. `text("action", "call_owner")`.

    Raises:
        KeyError: there is none of this name.
    """
    entry = _table()[group][key]
    return Text(zh=str(entry["zh"]), en=str(entry["en"]))


@cache
def notice_text(stage: str) -> NoticeText:
    """The texts of a notice.

    Raises:
        KeyError: no notice of this stage.
    """
    entry = _table()["notice"][stage]
    subject, paragraphs = entry["subject"], entry["paragraphs"]
    if not isinstance(subject, dict) or not isinstance(paragraphs, list):
        raise KeyError(stage)
    return NoticeText(Text(**subject), tuple(Text(**each) for each in paragraphs))


def stages() -> tuple[str, ...]:
    """All stages that have a notice."""
    return tuple(_table()["notice"])


def pick(both: Text, lang: str) -> str:
    """The text of a language."""
    return both.zh if lang == "zh" else both.en


def say_window(window: Window, tz: str, lang: str) -> str:
    """A window in words, e.g. `Tuesday 24 November, 09:00 to 11:00`."""
    zone, locale = ZoneInfo(tz), LOCALE[lang]
    return pick(text("label", "window"), lang).format(
        date=format_datetime(window.start, _DAY[lang], tzinfo=zone, locale=locale),
        start=format_time(window.start, "HH:mm", tzinfo=zone, locale=locale),
        end=format_time(window.end, "HH:mm", tzinfo=zone, locale=locale),
    )


def say_moment(moment: datetime, tz: str, lang: str) -> str:
    """A day and time in words."""
    return format_datetime(moment, f"{_SHORT_DAY[lang]} HH:mm", tzinfo=ZoneInfo(tz), locale=LOCALE[lang])


def say_day(moment: datetime, tz: str, lang: str) -> str:
    """A day in words, e.g. `21 October`."""
    return format_datetime(moment, _SHORT_DAY[lang], tzinfo=ZoneInfo(tz), locale=LOCALE[lang])


def onset_label(earlier: timedelta, later: timedelta) -> str:
    """Which label says an onset with this doubt to both sides: `onset_before` when only its latest is known."""
    return "onset_before" if earlier >= _EARLIER and later < earlier * _SKEW else "onset_about"


def say_onset(onset: datetime, earlier: timedelta, later: timedelta, tz: str, lang: str) -> str:
    """An onset in words, e.g. `about 21 October`, `2 March or before`."""
    return pick(text("label", onset_label(earlier, later)), lang).format(day=say_day(onset, tz, lang))


def say_appliance(appliance: Appliance, kind: KindSpec | None, lang: str) -> str:
    """The appliance with its room, where one is known."""
    title = pick(kind.title, lang) if kind is not None else appliance.kind
    if not appliance.room:
        return title
    return pick(text("label", "place"), lang).format(room=appliance.room, kind=title)
