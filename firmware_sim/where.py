"""Which appliances an entry of a scenario concerns."""

from __future__ import annotations

from typing import Annotated, Protocol

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Words = str | tuple[str, ...]
"""One word, or a list of words of which any will do."""


class Described(Protocol):
    """What an appliance is known by; `firmware_sim.scenario.Appliance` is one."""

    @property
    def device(self) -> str:
        """Id in topics, without the organisation."""

    @property
    def kind(self) -> str:
        """Of the catalogue."""

    @property
    def model(self) -> str:
        """Of the catalogue."""

    @property
    def firmware(self) -> str:
        """Version with which it begins."""

    @property
    def lot(self) -> str:
        """Production lot."""

    @property
    def zone(self) -> str:
        """Time zone of the household."""


class Where(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions that must all hold; a condition that is not given holds always.

    Attributes:
        device: id, as in `fridge-007`.
        kind: of the catalogue.
        model: of the catalogue, or of the scenario's own models.
        firmware: version with which the appliance begins.
        lot: production lot.
        zone: time zone of the household, the region.
        share: share of those that all this holds for, each drawn on its own.
    """

    device: Words = ()
    kind: Words = ()
    model: Words = ()
    firmware: Words = ()
    lot: Words = ()
    zone: Words = ()
    share: Share = 1.0

    def holds(self, one: Described) -> bool:
        """Whether the conditions hold for an appliance; the share is left to the caller's draw."""
        return (
            _any(self.device, one.device)
            and _any(self.kind, one.kind)
            and _any(self.model, one.model)
            and _any(self.firmware, one.firmware)
            and _any(self.lot, one.lot)
            and _any(self.zone, one.zone)
        )


def words(value: Words) -> tuple[str, ...]:
    """Always a tuple."""
    return (value,) if isinstance(value, str) else value


def _any(allowed: Words, value: str) -> bool:
    return not allowed or value in words(allowed)
