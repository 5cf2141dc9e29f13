"""Reads the service levels from their table and checks them: an error names the file, the entry and what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import get_global

from servicedesk.calendars import Calendar, CalendarError, Span
from servicedesk.errors import DeskError
from telemetry.catalogue import Text

FILE = Path(__file__).with_name("levels.toml")
HOUSEHOLD = "household"
"""In a calendar: the household's own zone or country."""
SIGNALS = frozenset({"opened", "reopened", "contact", "human", "proposed", "confirmed", "quoted", "on_site", "done"})
PAUSES = frozenset({"owner", "parts", "hold"})
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_SEVERITIES = range(1, 5)


class LevelsError(DeskError):
    """The table of service levels is wrong; says where and how."""


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """A calendar as the table has it; a household makes it one of a zone and country."""

    name: str
    title: Text
    hours: tuple[tuple[Span, ...], ...]
    zone: str
    country: str
    subdivision: str

    def of(self, tz: str) -> Calendar:
        """The calendar of a household in a time zone."""
        zone = tz if self.zone == HOUSEHOLD else self.zone
        country = country_of(tz) if self.country == HOUSEHOLD else self.country
        return Calendar(self.hours, zone, country, self.subdivision, self.name)


@dataclass(frozen=True, slots=True)
class LevelPolicy:
    """A promise with its clock; see `levels.toml` for what each entry means."""

    name: str
    title: Text
    starts: frozenset[str]
    meets: frozenset[str]
    targets: Mapping[int, timedelta]
    calendar: CalendarSpec
    pauses: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    predict: float = 0.75
    tell: bool = False
    escalate: bool = False
    amount: Decimal | None = None
    currency: str = ""

    def target(self, severity: int, tier: str) -> timedelta | None:
        """What is promised to a case, or None when nothing is."""
        return None if self.tiers and tier not in self.tiers else self.targets.get(severity)


@dataclass(frozen=True, slots=True)
class Rung:
    """How long a notice of a stage may wait on a channel, and what ends the waiting."""

    after: timedelta
    until: str


@dataclass(frozen=True, slots=True)
class Levels:
    """Everything that is promised."""

    calendars: Mapping[str, CalendarSpec]
    policies: Mapping[str, LevelPolicy]
    call_due: timedelta
    call_later: timedelta
    oncall_after: timedelta
    oncall_severities: frozenset[int]
    warn_after: timedelta
    rungs: Mapping[str, Rung]

    def rung(self, stage: str) -> Rung:
        """The patience with a stage's notice."""
        return self.rungs.get(stage, self.rungs["default"])


def country_of(tz: str) -> str:
    """The ISO 3166 code of a time zone's country, by the CLDR; empty for zones of none."""
    found = str(get_global("zone_territories").get(tz, ""))
    return "" if found in ("ZZ", "001") else found


@cache
def load_levels(path: Path = FILE) -> Levels:
    """Read a table of service levels.

    Raises:
        LevelsError: it cannot be read, or an entry is wrong.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise LevelsError(f"{path.name}: {cause}") from cause
    reader = _Reader(path.name)
    try:
        return reader.levels(table)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, CalendarError) as cause:
        what = f"{cause.args[0]!r} is missing" if isinstance(cause, KeyError) else str(cause)
        raise LevelsError(f"{path.name}: {reader.at}: {what}") from cause


def span_of(said: str) -> timedelta:
    """A span of time as `15m`, `2h`, `1d12h`.

    Raises:
        ValueError: it is none.
    """
    parts = _SPAN.findall(said)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != said:
        raise ValueError(f"{said!r} is no span of time; write 15m, 2h or 1d12h")
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


class _Reader:
    """Reads the table; `at` says where it is, for errors."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.at = ""

    def levels(self, table: Mapping[str, Any]) -> Levels:
        calendars = {name: self._calendar(name, entry) for name, entry in table["calendar"].items()}
        policies = [self._policy(number, entry, calendars) for number, entry in enumerate(table["policy"], 1)]
        self.at = "policy"
        if len({each.name for each in policies}) != len(policies):
            raise ValueError("two policies have the same name")
        self.at = "calls"
        calls = table["calls"]
        self.at = "ladder"
        ladder = table["ladder"]
        return Levels(
            calendars,
            {each.name: each for each in policies},
            call_due=span_of(calls["due"]),
            call_later=span_of(calls["later"]),
            oncall_after=span_of(calls["oncall_after"]),
            oncall_severities=frozenset(map(int, calls["oncall_severities"])),
            warn_after=span_of(ladder["warn_after"]),
            rungs=self._rungs(ladder["stage"]),
        )

    def _calendar(self, name: str, entry: Mapping[str, Any]) -> CalendarSpec:
        self.at = f"calendar.{name}"
        self._only(entry, {"title", "zone", "country", "subdivision", "hours"})
        given = entry.get("hours", {})
        self._only(given, set(_DAYS))
        hours = tuple(tuple(_span(each) for each in given.get(day, ())) for day in _DAYS) if given else ()
        spec = CalendarSpec(
            name,
            Text(**entry["title"]),
            hours,
            zone=entry.get("zone", HOUSEHOLD),
            country=entry.get("country", ""),
            subdivision=entry.get("subdivision", ""),
        )
        spec.of("UTC")  # hours that are none are found here, not when a clock starts
        return spec

    def _policy(self, number: int, entry: Mapping[str, Any], calendars: Mapping[str, CalendarSpec]) -> LevelPolicy:
        self.at = f"policy {entry.get('name', number)}"
        known = {"name", "title", "starts", "meets", "target", "calendar", "pauses", "tiers", "predict", "tell"}
        self._only(entry, known | {"escalate", "compensation"})
        if entry["calendar"] not in calendars:
            raise ValueError(f"there is no calendar {entry['calendar']!r}; there are {', '.join(calendars)}")
        predict = float(entry.get("predict", 0.75))
        if not 0 < predict <= 1:
            raise ValueError(f"predict is a part of the target, above 0 and at most 1, not {predict}")
        paid = entry.get("compensation", {})
        self._only(paid, {"amount", "currency"})
        return LevelPolicy(
            name=entry["name"],
            title=Text(**entry["title"]),
            starts=_subset(entry["starts"], SIGNALS),
            meets=_subset(entry["meets"], SIGNALS),
            targets=_targets(entry["target"]),
            calendar=calendars[entry["calendar"]],
            pauses=_subset(entry.get("pauses", []), PAUSES),
            tiers=frozenset(entry.get("tiers", [])),
            predict=predict,
            tell=bool(entry.get("tell", False)),
            escalate=bool(entry.get("escalate", False)),
            amount=Decimal(paid["amount"]) if paid else None,
            currency=paid["currency"] if paid else "",
        )

    def _rungs(self, stages: Mapping[str, Any]) -> dict[str, Rung]:
        found = {}
        for name, entry in stages.items():
            self.at = f"ladder.stage.{name}"
            if entry["until"] not in ("sent", "opened"):
                raise ValueError(f"until is sent or opened, not {entry['until']!r}")
            found[name] = Rung(span_of(entry["after"]), entry["until"])
        self.at = "ladder.stage"
        if "default" not in found:
            raise KeyError("default")
        return found

    def _only(self, entry: Mapping[str, Any], known: set[str]) -> None:
        for key in entry:
            if key not in known:
                raise ValueError(f"{key!r} is unknown; there are {', '.join(sorted(known))}")


def _targets(given: Mapping[str, str]) -> dict[int, timedelta]:
    found = {int(severity): span_of(span) for severity, span in given.items()}
    for severity, span in found.items():
        if severity not in _SEVERITIES or not span:
            raise ValueError(f"a target is a span above zero by severity 1 to 4, not {severity} = {span}")
    return found


def _subset(given: list[str], known: frozenset[str]) -> frozenset[str]:
    for each in given:
        if each not in known:
            raise ValueError(f"{each!r} is unknown; there are {', '.join(sorted(known))}")
    return frozenset(given)


def _span(given: list[str]) -> Span:
    begin, end = (_minute(each) for each in given)
    return begin, end


def _minute(said: str) -> int:
    found = _CLOCK.fullmatch(said)
    if found is None:
        raise ValueError(f"{said!r} is no time of day; write 08:00")
    return int(found[1]) * 60 + int(found[2])
