"""How simulated owners and technicians behave: numbers only; `firmware_sim.people` acts on them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Hours = Annotated[float, msgspec.Meta(ge=0)]
Minutes = Annotated[float, msgspec.Meta(ge=0)]


class Shows(StrEnum):
    """What a scene shows to whoever watches."""

    QUOTE = "quote"
    """The owner agrees to the price, and the first visit mends it."""
    SELF_FIX = "self_fix"
    """The owner follows the guide, it helps, and the visit is withdrawn once the readings say so."""
    NO_FAULT_FOUND = "no_fault_found"
    """The owner mends it and tells nobody: the technician finds nothing."""
    REOPENED = "reopened"
    """The first repair does not hold, and nobody but the telemetry knows; the second one does."""


class Scene(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[people.scene]]`: what people do about one appliance, whatever chance has for the others.

    Attributes:
        device: id, as in `fridge-007`.
        shows: how its first case goes.
    """

    device: str
    shows: Shows


class PeopleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table `[people]` of a scenario.

    An owner who can read of a visit takes another window, declines it, or is silent, with these shares; else agrees.

    Attributes:
        moves: takes another window than the proposed one.
        declines: declines the window; a second refusal in a row goes to a person of dispatch.
        ignores: does not answer.
        answer_hours: between reading and answering, at least and at most.
        called_back: of those whom dispatch calls for want of an answer, the share that agrees to a visit.
        response_minutes: until dispatch calls an owner who has called or complained, or whom it is to call for another
            reason, at least and at most; of the service's working hours.
        on_call_minutes: likewise when it is urgent, day and night.
        picks_up: answers a call of dispatch that nobody expects.
        self_fixes: tries the guide, where the catalogue has one for what was noticed.
        self_fix_works: of those whose appliance has a fault with a guide, the share that mends it so.
        self_fix_hours: between reading and having tried it, at least and at most.
        approves: agrees to a quote; who does not is called by a person of dispatch.
        complains: when a technician must come again.
        reports: calls the service when the appliance has failed and nobody is about to come.
        report_hours: between the failure and that call, at least and at most.
        describes: names the trouble well enough for the right part to be brought, when calling.
        finds: the technician finds a fault that is there.
        wrong_part: the part does not fit, though the fault was named rightly.
        badly: reports a repair that does not hold.
        van_stock: a fault of another family than the ticket's can be mended with what is in the van.
        travel_minutes: one way, at least and at most.
        late_minutes: after the window's start, at most.
        scene: appliances about which people do something certain.
    """

    moves: Share = 0.12
    declines: Share = 0.03
    ignores: Share = 0.06
    answer_hours: tuple[Hours, Hours] = (1.0, 6.0)
    called_back: Share = 0.75
    response_minutes: tuple[Minutes, Minutes] = (1.0, 16.0)
    on_call_minutes: tuple[Minutes, Minutes] = (1.0, 6.0)
    picks_up: Share = 0.8
    self_fixes: Share = 0.35
    self_fix_works: Share = 0.25
    self_fix_hours: tuple[Hours, Hours] = (3.0, 16.0)
    approves: Share = 0.93
    complains: Share = 0.4
    reports: Share = 0.97
    report_hours: tuple[Hours, Hours] = (0.5, 20.0)
    describes: Share = 0.8
    finds: Share = 0.96
    wrong_part: Share = 0.05
    badly: Share = 0.04
    van_stock: Share = 0.4
    travel_minutes: tuple[Minutes, Minutes] = (15.0, 45.0)
    late_minutes: Minutes = 50.0
    scene: tuple[Scene, ...] = ()

    def shows(self, device: str) -> Shows | None:
        """What is shown at an appliance `org/device`, or None where chance decides."""
        name = device.rpartition("/")[2]
        return next((each.shows for each in self.scene if each.device == name), None)


WILLING = PeopleSpec(
    moves=0.0,
    declines=0.0,
    ignores=0.0,
    self_fixes=0.0,
    approves=1.0,
    complains=0.0,
    reports=0.0,
    finds=1.0,
    wrong_part=0.0,
    badly=0.0,
)
"""Owners who agree to every visit and technicians who never err."""

NEIGHBOURS = msgspec.structs.replace(
    WILLING, self_fixes=0.4, self_fix_works=0.75, self_fix_hours=(1.0, 3.0), finds=0.95, badly=0.08
)
"""The people of the demo: some try the guide first, and now and then a technician finds nothing or mends badly."""
