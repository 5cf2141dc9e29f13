"""Methods of findings. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, Page, segment
from client.types.findings import ScoreboardOut
from client.types.shared import FindingOut, TicketDetailOut


class FindingsRoutes(Caller):
    """Methods of findings."""

    def findings(
        self,
        *,
        device: str | None = None,
        state: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[FindingOut]:
        """Findings, newest first."""
        return self.call(
            "GET",
            "/v1/findings",
            Page[FindingOut],
            query={"device": device, "state": state, "cursor": cursor, "limit": limit},
        )

    def one_finding(self, finding: UUID | str) -> FindingOut:
        """One finding with its evidence."""
        return self.call("GET", f"/v1/findings/{segment(finding)}", FindingOut)

    def finding_ticket(self, finding: UUID | str, *, key: str | None = None) -> TicketDetailOut:
        """Open the ticket of a finding that was only suggested; answers with the one there is when it has one."""
        return self.call("POST", f"/v1/findings/{segment(finding)}/ticket", TicketDetailOut, key=key)

    def scoreboard(self) -> ScoreboardOut:
        """Precision of each detector by the outcomes of its tickets."""
        return self.call("GET", "/v1/scoreboard", ScoreboardOut)
