"""Words in both languages: gettext catalogues, and dates and numbers by Babel in the household's time zone.

Messages are whole sentences; what varies stands in braces. A message may hold `<b>`: catalogues are our own text,
what is put into them is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup

from telemetry.catalogue import Text

LANGUAGES = ("en", "zh")
_LOCALE = {"en": "en_GB", "zh": "zh_Hans_CN"}
HTML_LANG = {"en": "en", "zh": "zh-CN"}
_DAY = {"en": "d MMMM", "zh": "M月d日"}
_SHORT = {"en": "d MMM", "zh": "M月d日"}
_LONG = {"en": "EEEE d MMMM", "zh": "M月d日EEEE"}
_YEAR = {"en": "d MMMM y", "zh": "y年M月d日"}
_ALMOST = 0.15
_ROOMS = (
    ("Kitchen", "厨房"),
    ("Balcony", "阳台"),
    ("Bathroom", "卫生间"),
    ("Laundry room", "洗衣间"),
    ("Basement", "地下室"),
    ("Living room", "客厅"),
    ("Garage", "车库"),
)
_MONTH_DAY = {"en": "MMMM · EEEE", "zh": "M月 · EEEE"}
_WEEKDAY = {"en": "EEE d MMM", "zh": "M月d日 EEE"}


class MissingWordsError(KeyError):
    """A message without a translation."""


@cache
def catalogue(lang: str) -> dict[str, str]:
    """All messages of a language, read once; each area of pages has a file of its own."""
    known: dict[str, str] = {}
    for path in sorted(files("api").joinpath("locale", lang, "LC_MESSAGES").iterdir(), key=lambda each: each.name):
        if path.name.endswith(".po"):
            with path.open("rb") as file:
                known |= {str(m.id): str(m.string) for m in read_po(file, locale=lang) if m.id and m.string}
    return known


def accepted(header: str | None, allowed: Iterable[str] = LANGUAGES) -> str | None:
    """The best of our languages that an Accept-Language header names, or None (RFC 9110, section 12.5.4)."""
    ranked: list[tuple[float, str]] = []
    for part in (header or "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((-float(weight or 1), tag.strip().lower()))
        except ValueError:
            continue
    for _, tag in sorted(ranked, key=lambda each: each[0]):
        if tag.split("-")[0] in allowed:
            return tag.split("-")[0]
    return None


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name; UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Words:
    """A language and a time zone, and how to say things in them."""

    lang: str
    zone: tzinfo

    @property
    def html_lang(self) -> str:
        """For the `lang` attribute."""
        return HTML_LANG[self.lang]

    @property
    def other(self) -> str:
        """The other language."""
        return "zh" if self.lang == "en" else "en"

    def __call__(self, message: str, **values: object) -> Markup:
        """The message in this language, with escaped values.

        Raises:
            MissingWordsError: the catalogue does not hold it.
        """
        try:
            found = catalogue(self.lang)[message]
        except KeyError as cause:
            raise MissingWordsError(f"no {self.lang} words for {message!r}") from cause
        return Markup(found).format(**values) if values else Markup(found)  # noqa: S704  (catalogues are our own text)

    def plain(self, message: str, **values: object) -> str:
        """The message without markup, for titles, files and charts."""
        found = catalogue(self.lang).get(message)
        if found is None:
            raise MissingWordsError(f"no {self.lang} words for {message!r}")
        return found.format(**values)

    def room(self, name: str) -> str:
        """A room in this language where it is one of the usual ones; other names stay as the household gave them."""
        return next((en if self.lang == "en" else zh for en, zh in _ROOMS if name in {en, zh}), name)

    def pick(self, both: Text) -> str:
        """One of a catalogue's two texts."""
        return both.zh if self.lang == "zh" else both.en

    def local(self, moment: datetime) -> datetime:
        """The moment in this zone."""
        return moment.astimezone(self.zone)

    def day(self, moment: datetime | date) -> str:
        """`21 October`, `10月21日`."""
        return self._date(moment, _DAY)

    def short_day(self, moment: datetime | date) -> str:
        """`21 Oct`, `10月21日`."""
        return self._date(moment, _SHORT)

    def long_day(self, moment: datetime | date) -> str:
        """`Tuesday 24 November`, `11月24日星期二`."""
        return self._date(moment, _LONG)

    def weekday(self, moment: datetime | date) -> str:
        """`Tue 24 Nov`, `11月24日 周二`."""
        return self._date(moment, _WEEKDAY)

    def weekday_name(self, moment: datetime | date) -> str:
        """`Tuesday`, `星期二`."""
        return self._date(moment, {"en": "EEEE", "zh": "EEEE"})

    def month_day(self, moment: datetime | date) -> str:
        """`November · Tuesday`, beside the day's big number."""
        return self._date(moment, _MONTH_DAY)

    def year_day(self, moment: datetime | date) -> str:
        """`14 March 2028`, `2028年3月14日`."""
        return self._date(moment, _YEAR)

    def time(self, moment: datetime) -> str:
        """`09:00`."""
        return str(format_time(self.local(moment), "HH:mm", locale=_LOCALE[self.lang]))

    def stamp(self, moment: datetime) -> str:
        """`24 Nov, 09:00`; day and time."""
        pattern = "d MMM, HH:mm" if self.lang == "en" else "M月d日 HH:mm"
        return str(format_datetime(moment, pattern, tzinfo=self.zone, locale=_LOCALE[self.lang]))

    def window(self, start: datetime, end: datetime) -> str:
        """`09:00–11:00`, which does not break."""
        return f"{self.time(start)}–{self.time(end)}"

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with exactly so many decimals."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, pattern, locale=_LOCALE[self.lang]))

    def percent(self, share: float) -> str:
        """`71%`."""
        return str(format_percent(share, "0%", locale=_LOCALE[self.lang]))

    def span(self, length: timedelta) -> str:
        """A length of time in its two largest units: `2 d 4 h`, `3 h 20 min`, `12 min`."""
        minutes = max(0, int(length.total_seconds() // 60))
        days, hours = divmod(minutes // 60, 24)
        if days:
            return (
                self.plain("{days} d {hours} h", days=days, hours=hours) if hours else self.plain("{days} d", days=days)
            )
        if hours:
            return self.plain("{hours} h {minutes} min", hours=hours, minutes=minutes % 60)
        return self.plain("{minutes} min", minutes=minutes)

    def life(self, low: float, high: float) -> str:
        """A remaining life in seconds as a range of days or weeks: `3–6 weeks`."""
        days = low / 86_400, high / 86_400
        if days[1] >= 21:  # noqa: PLR2004  (from three weeks on, weeks are exact enough)
            a, b = max(1, int(days[0] / 7 + _ALMOST)), max(1, round(days[1] / 7))
            return self.plain("{a}–{b} weeks", a=a, b=b) if b > a else self.plain("about {b} weeks", b=b)
        a, b = max(0, int(days[0] + _ALMOST)), max(1, round(days[1]))
        return self.plain("{a}–{b} days", a=a, b=b) if b > a else self.plain("about {b} days", b=b)

    def tenths(self, share: float) -> str:
        """A likelihood for owners: `about 7 in 10`."""
        tenths = max(1, min(9, round(share * 10)))
        return self.plain("about {n} in 10", n="一二三四五六七八九"[tenths - 1] if self.lang == "zh" else tenths)

    def _date(self, moment: datetime | date, patterns: dict[str, str]) -> str:
        local = self.local(moment).date() if isinstance(moment, datetime) else moment
        return str(format_date(local, patterns[self.lang], locale=_LOCALE[self.lang]))
