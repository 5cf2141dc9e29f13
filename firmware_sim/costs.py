"""What things cost in a scenario, for the trial's account of the product against its baselines."""

from __future__ import annotations

from typing import Annotated

import msgspec

Amount = Annotated[float, msgspec.Meta(ge=0)]
Days = Annotated[float, msgspec.Meta(gt=0)]


class KindCosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs for one kind, `[costs.kinds.KIND]`; what is not given is as for all."""

    visit: Amount | None = None
    breakdown: Amount | None = None
    calendar_visit: Amount | None = None
    calendar_days: Days | None = None


class Costs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[costs]`. Amounts in units of the currency: what the service bears or the owner loses.

    Attributes:
        currency: ISO 4217 code.
        visit: a technician's way there and back and the first half hour on site, planned days ahead.
        urgent_visit: likewise, within a day of an owner's call.
        minute: a minute on site beyond the first half hour.
        false_visit: what a visit that finds nothing costs beyond the visit itself: the owner's morning and trust.
        false_alert: an alert to an owner for nothing, when no visit came of it.
        repeat_visit: what a second visit for the same fault costs beyond the visit itself.
        breakdown: what an appliance that stands still costs its owner: spoilt food, laundry, a cold flat, a claim.
        breakdown_day: each further day until it is repaired.
        parts_factor: on the price of parts as the catalogue's price band gives it.
        calendar_visit: one round of maintenance by calendar.
        calendar_days: days between two such rounds.
        calendar_catches: share of the developing faults that such a round finds.
        appointment_days: mean days from an owner's call to a visit, where repair waits for failure.
        kinds: what differs for a kind.
        other: further amounts by name, for reports that ask for them.
    """

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "CNY"
    visit: Amount = 160.0
    urgent_visit: Amount = 240.0
    minute: Amount = 2.0
    false_visit: Amount = 120.0
    false_alert: Amount = 15.0
    repeat_visit: Amount = 100.0
    breakdown: Amount = 650.0
    breakdown_day: Amount = 90.0
    parts_factor: Amount = 1.0
    calendar_visit: Amount = 150.0
    calendar_days: Days = 182.0
    calendar_catches: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    appointment_days: Amount = 2.5
    kinds: dict[str, KindCosts] = {}
    other: dict[str, Amount] = {}

    def of(self, kind: str) -> Costs:
        """The costs of one kind, with what differs for it."""
        own = self.kinds.get(kind)
        if own is None:
            return self
        changes = {name: value for name in own.__struct_fields__ if (value := getattr(own, name)) is not None}
        return msgspec.structs.replace(self, **changes)
