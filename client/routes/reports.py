"""Methods of reports. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from client.core import Caller
from client.types.reports import CauseReportOut, FaultGroupsOut, ServiceReportOut


class ReportsRoutes(Caller):
    """Methods of reports."""

    def fleet_faults(self) -> FaultGroupsOut:
        """What many appliances have at once, against what chance would give."""
        return self.call("GET", "/v1/fleet-faults", FaultGroupsOut)

    def cause_report(
        self,
        *,
        by: Literal["firmware", "lot", "model"] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kind: str | None = None,
    ) -> CauseReportOut:
        """Confirmed causes by firmware at the onset, lot or model: counts, cumulated share, rates with intervals."""
        return self.call(
            "GET", "/v1/reports/causes", CauseReportOut, query={"by": by, "since": since, "until": until, "kind": kind}
        )

    def service_report(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        by: Literal["region", "tier", "origin", "kind", "model", "technician"] | None = None,
    ) -> ServiceReportOut:
        """First-time fix, repeat within 30 days, no fault found, on time, broken promises, causes."""
        return self.call(
            "GET", "/v1/reports/service", ServiceReportOut, query={"since": since, "until": until, "by": by}
        )
