"""Methods of lab. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from client.core import Caller, Page, segment
from client.types.lab import BenchOut, Form, LetterOut, RunOut, ShadowsOut, SignalsOut, WayOut


class LabRoutes(Caller):
    """Methods of lab."""

    def device_dead_letters(
        self, org: str, device: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[LetterOut]:
        """What came of a device and could not be taken, the newest first."""
        return self.call(
            "GET",
            f"/v1/devices/{segment(org)}/{segment(device)}/dead-letters",
            Page[LetterOut],
            query={"cursor": cursor, "limit": limit},
        )

    def device_export(
        self,
        org: str,
        device: str,
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        format_: Form | None = None,
    ) -> bytes:
        """Readings as a file: CSV, or Parquet where the server has the extra."""
        return self.call(
            "GET",
            f"/v1/devices/{segment(org)}/{segment(device)}/export",
            bytes,
            query={"from": from_, "to": to, "format": format_},
        )

    def device_signals(
        self,
        org: str,
        device: str,
        *,
        from_: datetime | None = None,
        to: datetime | None = None,
        steps: int | None = None,
    ) -> SignalsOut:
        """Every channel in steps of equal width: least, greatest, mean; gaps, and phases of work."""
        return self.call(
            "GET",
            f"/v1/devices/{segment(org)}/{segment(device)}/signals",
            SignalsOut,
            query={"from": from_, "to": to, "steps": steps},
        )

    def device_trace(self, org: str, device: str) -> BenchOut:
        """What detectors made of each cycle, as a worker observed it again when it was last asked."""
        return self.call("GET", f"/v1/devices/{segment(org)}/{segment(device)}/trace", BenchOut)

    def ask_device_trace(self, org: str, device: str, *, key: str | None = None) -> RunOut:
        """Ask a worker to observe a device again, with features and scores of every cycle."""
        return self.call("POST", f"/v1/devices/{segment(org)}/{segment(device)}/trace", RunOut, key=key)

    def device_way(self, org: str, device: str) -> WayOut:
        """What became of a device's messages: receipts, gaps, losses, dead letters, and how its clock stands."""
        return self.call("GET", f"/v1/devices/{segment(org)}/{segment(device)}/way", WayOut)

    def finding_replay(self, finding: UUID | str) -> BenchOut:
        """Whether the decision is the same when it is made again, and on what it rested, step by step."""
        return self.call("GET", f"/v1/findings/{segment(finding)}/replay", BenchOut)

    def ask_finding_replay(self, finding: UUID | str, *, key: str | None = None) -> RunOut:
        """Ask a worker to make a finding's decision again from what is stored, and to compare it to the last bit."""
        return self.call("POST", f"/v1/findings/{segment(finding)}/replay", RunOut, key=key)

    def shadows(self) -> ShadowsOut:
        """Detectors in the shadow beside the live ones. They observe the whole fleet: a narrowed token sees none."""
        return self.call("GET", "/v1/shadows", ShadowsOut)
