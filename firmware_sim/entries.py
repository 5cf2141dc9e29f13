"""The entries of a scenario file as types; unknown keys are refused. `docs/scenarios.md` is their reference."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec

from firmware_sim.where import Share, Where, Words
from telemetry.catalogue import Text
from telemetry.clock import MICROS, to_micros

DAY = 86_400 * MICROS
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$")]
Hour = Annotated[float, msgspec.Meta(ge=0, le=28)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FleetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[fleet]]`: a number of devices of one kind.

    Attributes:
        kind: of the catalogue.
        count: how many.
        models: model to weight; empty: all models of the kind alike.
        prefix: of the device ids `PREFIX-001`, …; empty: the kind's usual one.
        host: of smart plugs: the kind behind the plug, or kinds with weights.
        firmware: version to weight; empty: the current one.
        lots: production lot to weight; empty: all of lot `A`.
        room: where they stand; empty: the kind's usual room.
    """

    kind: str
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    models: dict[str, NotNegative] = {}
    prefix: Annotated[str, msgspec.Meta(pattern=r"^([a-z][a-z0-9-]{0,31})?$")] = ""
    host: str | dict[str, NotNegative] = ""
    firmware: dict[Word, NotNegative] = {}
    lots: dict[Word, NotNegative] = {}
    room: Text | None = None

    @property
    def hosts(self) -> dict[str, float]:
        """Kinds behind the plugs, with weights; empty for other kinds."""
        if isinstance(self.host, str):
            return {self.host: 1.0} if self.host else {}
        return dict(self.host)


class HolidayEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[households.holiday]]`: days on which nobody works.

    Attributes:
        date: first day.
        days: how many.
        away: share of the households that leave home for it.
        every_year: whether it comes again on the same date.
    """

    date: dt.date
    days: Positive = 1.0
    away: Share = 0.3
    every_year: bool = True


class Households(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[households]`: who lives with the appliances.

    Attributes:
        languages: `zh` and `en` with weights.
        zones: IANA time zones, given out in turn.
        appliances: mean number of appliances in a household; by default as many as there are kinds, one of each.
        home_by_day: share in which somebody is at home on working days.
        wake: hour at which the day begins: mean and standard deviation between households.
        sleep: hour at which it ends, likewise; 25 is one at night.
        leaves: hour at which the home is left on working days, likewise.
        returns: hour at which people are back, likewise.
        busy: standard deviation between households of how much they use their appliances, relative.
        free_days: weekdays without work.
        holiday: days without work.
    """

    languages: dict[Literal["zh", "en"], NotNegative] = msgspec.field(default_factory=lambda: {"zh": 0.6, "en": 0.4})
    zones: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("Asia/Shanghai",)
    appliances: Positive | None = None
    home_by_day: Share = 0.5
    wake: tuple[Hour, NotNegative] = (6.6, 0.6)
    sleep: tuple[Hour, NotNegative] = (22.8, 0.7)
    leaves: tuple[Hour, NotNegative] = (8.6, 0.5)
    returns: tuple[Hour, NotNegative] = (18.2, 0.8)
    busy: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.0
    free_days: tuple[Weekday, ...] = ("sat", "sun")
    holiday: tuple[HolidayEntry, ...] = ()


class HabitEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[habits.KIND]`: how appliances that run programmes are used; what is absent is as usual for the kind.

    Attributes:
        starts: mean runs a day.
        load: mean load of a household, kg (or place settings).
        load_between: standard deviation between households.
        load_within: standard deviation from run to run.
        weekend: factor on `starts` on free days.
        programmes: programme to how often it is chosen, as weights; the others keep theirs.
    """

    starts: Annotated[float, msgspec.Meta(ge=0, le=3)] | None = None
    load: Positive | None = None
    load_between: NotNegative | None = None
    load_within: NotNegative | None = None
    weekend: NotNegative | None = None
    programmes: dict[str, NotNegative] = {}


class FaultRates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[faults]`: faults that come by chance.

    Attributes:
        mean_days: mean days from one fault of an appliance to the next; absent: no fault comes by chance.
        first_day: none begins before this day of the fleet's life.
        rest_days: least days from one onset to the next.
        part_worn: share of the appliances that carry a developing fault at the start.
        worn_days: how many days before the start theirs began, low and high.
        kinds: only appliances of these kinds; empty: all.
        weights: `KIND.FAULT` to a factor on the catalogue's prior; 0: never.
    """

    mean_days: Positive | None = None
    first_day: NotNegative = 0.0
    rest_days: NotNegative = 60.0
    part_worn: Share = 0.0
    worn_days: tuple[NotNegative, NotNegative] = (3.0, 9.0)
    kinds: Words = ()
    weights: dict[str, NotNegative] = {}


class Dated(Where, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What begins on a date or on a day of the fleet's life.

    Attributes:
        date: the day it begins, at 00:00 UTC.
        day: or so many days after the fleet's start; negative: before it.
        spread_days: each appliance begins up to so many days later, drawn evenly.
    """

    date: dt.date | None = None
    day: float | None = None
    spread_days: NotNegative = 0.0

    def moment(self, start: int) -> int:
        """Fleet time of the beginning, microseconds, before the spread.

        Args:
            start: of the fleet.
        """
        if self.date is not None:
            return date_micros(self.date)
        return start + round((self.day or 0.0) * DAY)


class FaultEntry(Dated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[fault]]`: a fault on a fixed date.

    Attributes:
        fault: `KIND.FAULT`, or `FAULT` where `kind` or `device` says the kind, or the id of a combination.
        lead_days: from onset to functional failure; absent: drawn from the catalogue's range.
        updated_to: instead of a date: it is that version's doing. It begins when the version has come to an appliance
            (`spread_days` after that at most), and no longer once another version has taken its place.
    """

    fault: str
    lead_days: Positive | None = None
    updated_to: Word | None = None


class ConfounderEntry(Dated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[confounder]]`: something innocent, on a fixed date or by chance.

    Attributes:
        what: id of a confounder.
        days: how long; absent: the confounder's own length.
        size: how strong, in the confounder's unit; absent: its own size.
        per_year: instead of a date: mean number a year.
        to_firmware: of an update: the version it brings.
        then_firmware: of an update that ends: the version that takes it back; absent: the one before it.
    """

    what: str
    days: Positive | None = None
    size: float | None = None
    per_year: Annotated[float, msgspec.Meta(gt=0, le=366)] | None = None
    to_firmware: Word | None = None
    then_firmware: Word | None = None


class ModelOverride(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[models.KIND.NAME]`: a new model, or changes to one of the catalogue.

    Attributes:
        title: for people; by default the name.
        like: of a new model: the model whose parameters it has where it gives none.
        parameters: of the physics, by name.
    """

    title: str = ""
    like: str = ""
    parameters: dict[str, float] = {}


class Combination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[define.combination.ID]`: faults that begin together.

    Attributes:
        kind: of the appliances.
        faults: ids of faults of that kind.
        prior: relative frequency among the kind's faults that come by chance; 0: only where a `[[fault]]` names it.
    """

    kind: str
    faults: Annotated[tuple[str, ...], msgspec.Meta(min_length=2)]
    prior: NotNegative = 0.0


class Define(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[define]`: what the product does not know yet.

    Attributes:
        fault: kind to fault id to the fields of `telemetry.catalogue.FaultSpec`, all of them or those that change.
        confounder: id to the fields of `firmware_sim.confounder_spec.ConfounderSpec`, likewise.
        combination: id to combination.
    """

    fault: dict[str, dict[str, dict[str, Any]]] = {}
    confounder: dict[str, dict[str, Any]] = {}
    combination: dict[str, Combination] = {}


def date_micros(date: dt.date) -> int:
    """00:00 UTC of a date, microseconds."""
    return to_micros(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC))
