"""Households and their appliances as types; `firmware_sim.population` draws them."""

from __future__ import annotations

import msgspec


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """Who lives with the appliance, and how.

    Attributes:
        id: `home-001`, …
        name: for people.
        lang: `zh` or `en`.
        tz: time zone.
        address: for people.
        consents: what the owner agreed to.
        number: its number in the fleet, the key of its generators.
        wake: hour of local time at which the day begins.
        sleep: hour at which it ends, at most 26 (two at night).
        leaves: hour at which the home is left on a working day.
        returns: hour at which people are back.
        home_by_day: whether somebody is at home on working days.
        free_days: weekdays without work, 0 is Monday.
        busy: factor on how much the home is used, 1 on average.
    """

    id: str
    name: str
    lang: str
    tz: str
    address: str
    consents: dict[str, bool]
    number: int = 0
    wake: float = 6.5
    sleep: float = 22.8
    leaves: float = 8.0
    returns: float = 18.0
    home_by_day: bool = True
    free_days: tuple[int, ...] = (5, 6)
    busy: float = 1.0


class Appliance(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it is registered.

    Attributes:
        index: its number in the fleet, the key of its generators.
        org: organisation.
        device: id in topics.
        kind: of the catalogue.
        model: of the catalogue, or of the scenario's own models.
        serial: on its plate.
        room: where it stands.
        household: whose it is.
        firmware: version with which it begins; `firmware_sim.confounders.firmware_at` knows the updates.
        lot: production lot.
        host: of a plug: the kind of the appliance behind it, else None.
        host_model: of a plug: the model of that appliance, else None.
    """

    index: int
    org: str
    device: str
    kind: str
    model: str
    serial: str
    room: str
    household: Household
    firmware: str = "2.4.1"
    lot: str = "A"
    host: str | None = None
    host_model: str | None = None

    @property
    def key(self) -> str:
        """`org/device`."""
        return f"{self.org}/{self.device}"

    @property
    def physics(self) -> str:
        """The kind whose physics it follows: a plug's is that of the appliance behind it."""
        return self.host or self.kind

    @property
    def physics_model(self) -> str:
        """The model, of the kind `physics`, whose parameters it has."""
        return self.host_model or self.model

    @property
    def zone(self) -> str:
        """The household's time zone, its region."""
        return self.household.tz
