"""Methods of devices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime

from client.core import Caller, Page, segment
from client.types.devices import (
    ConditionOut,
    DeviceOut,
    MuteIn,
    ReadingOut,
    RemovalIn,
    RemovalOut,
    ReportIn,
    SerialOut,
    TrendOut,
)
from client.types.shared import TicketDetailOut


class DevicesRoutes(Caller):
    """Methods of devices."""

    def devices(
        self,
        *,
        q: str | None = None,
        kind: str | None = None,
        health: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[DeviceOut]:
        """Devices, in the order of their registration."""
        return self.call(
            "GET",
            "/v1/devices",
            Page[DeviceOut],
            query={"q": q, "kind": kind, "health": health, "cursor": cursor, "limit": limit},
        )

    def one_device(self, org: str, device: str) -> DeviceOut:
        """One device."""
        return self.call("GET", f"/v1/devices/{segment(org)}/{segment(device)}", DeviceOut)

    def device_condition(self, org: str, device: str) -> ConditionOut:
        """How an appliance is, in one word: silence is never healthy, and an open case outweighs it."""
        return self.call("GET", f"/v1/devices/{segment(org)}/{segment(device)}/condition", ConditionOut)

    def device_mute(self, org: str, device: str, body: MuteIn, *, key: str | None = None) -> ConditionOut:
        """Keep an appliance's messages back until a moment; they come then. What is about safety comes at once."""
        return self.call("POST", f"/v1/devices/{segment(org)}/{segment(device)}/mute", ConditionOut, body=body, key=key)

    def readings(
        self,
        org: str,
        device: str,
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[ReadingOut]:
        """Readings by event time."""
        return self.call(
            "GET",
            f"/v1/devices/{segment(org)}/{segment(device)}/readings",
            Page[ReadingOut],
            query={"from": from_, "to": to, "cursor": cursor, "limit": limit},
        )

    def device_removal(self, org: str, device: str, body: RemovalIn, *, key: str | None = None) -> RemovalOut:
        """Take an appliance out of its household: open cases end, nothing is opened any more, readings stay."""
        return self.call(
            "POST", f"/v1/devices/{segment(org)}/{segment(device)}/removal", RemovalOut, body=body, key=key
        )

    def device_report(self, org: str, device: str, body: ReportIn, *, key: str | None = None) -> TicketDetailOut:
        """The owner says that an appliance has failed. Answers with its ticket, which may be open already."""
        return self.call(
            "POST", f"/v1/devices/{segment(org)}/{segment(device)}/reports", TicketDetailOut, body=body, key=key
        )

    def device_trend(self, org: str, device: str) -> TrendOut:
        """Its last four weeks, a point a day: the signal of the open finding, else its power against its own past."""
        return self.call("GET", f"/v1/devices/{segment(org)}/{segment(device)}/trend", TrendOut)

    def device_unmute(self, org: str, device: str, *, key: str | None = None) -> ConditionOut:
        """End an appliance's own mute. Twice is the same as once."""
        return self.call("POST", f"/v1/devices/{segment(org)}/{segment(device)}/unmute", ConditionOut, key=key)

    def by_serial(self, serial: str) -> SerialOut:
        """An appliance by its serial number: warranty, cases, next steps, prices. A foreign number looks like none."""
        return self.call("GET", f"/v1/serials/{segment(serial)}", SerialOut)
