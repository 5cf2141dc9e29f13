"""Methods of warranty. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, segment
from client.types.warranty import AppealIn, DenialIn, EvidenceIn, SettlementIn, WarrantyOut


class WarrantyRoutes(Caller):
    """Methods of warranty."""

    def warranty(self, ticket: UUID | str) -> WarrantyOut:
        """What the warranty says of a ticket, by which rule and why; evidence and decisions."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/warranty", WarrantyOut)

    def warranty_appeal(self, ticket: UUID | str, body: AppealIn, *, key: str | None = None) -> WarrantyOut:
        """The owner does not agree with a denial: a third person answers within five days."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/warranty/appeal", WarrantyOut, body=body, key=key)

    def warranty_denial(self, ticket: UUID | str, body: DenialIn, *, key: str | None = None) -> WarrantyOut:
        """Deny by a rule of the table whose evidence was recorded; the owner is told the reason and how to appeal."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/warranty/denial", WarrantyOut, body=body, key=key)

    def warranty_evidence(self, ticket: UUID | str, body: EvidenceIn, *, key: str | None = None) -> WarrantyOut:
        """Record something found at the appliance; it denies nothing by itself."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/warranty/evidence", WarrantyOut, body=body, key=key)

    def warranty_settlement(self, ticket: UUID | str, body: SettlementIn, *, key: str | None = None) -> WarrantyOut:
        """Answer an appeal; whoever denied does not."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/warranty/settlement", WarrantyOut, body=body, key=key)
