"""Methods of privacy. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from client.core import Caller, Page, segment
from client.types.privacy import (
    AddressesOut,
    AddressIn,
    AuditOut,
    CaseLinksOut,
    ConsentIn,
    ConsentsOut,
    ErasureOut,
    ExportOut,
    HomeLinksOut,
    HouseholdOut,
    NewLinkOut,
    SentLinkOut,
    WhichAddressIn,
    WishesIn,
    WishesOut,
)


class PrivacyRoutes(Caller):
    """Methods of privacy."""

    def audit(
        self,
        *,
        household: UUID | None = None,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[AuditOut]:
        """Who read personal data and who went past a rule, newest first; for no token of a single organisation."""
        return self.call(
            "GET",
            "/v1/audit",
            Page[AuditOut],
            query={
                "household": household,
                "actor": actor,
                "action": action,
                "since": since,
                "until": until,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def household_read(self, household: UUID | str) -> HouseholdOut:
        """A household with its contacts; that staff looked is logged."""
        return self.call("GET", f"/v1/households/{segment(household)}", HouseholdOut)

    def addresses(self, household: UUID | str) -> AddressesOut:
        """The ways to a household in the order in which they are tried, masked."""
        return self.call("GET", f"/v1/households/{segment(household)}/addresses", AddressesOut)

    def address_new(self, household: UUID | str, body: AddressIn, *, key: str | None = None) -> AddressesOut:
        """Give a household an e-mail address, or a service by its Apprise URL; six at most."""
        return self.call("POST", f"/v1/households/{segment(household)}/addresses", AddressesOut, body=body, key=key)

    def address_drop(self, household: UUID | str, body: WhichAddressIn, *, key: str | None = None) -> AddressesOut:
        """Take an address away; the last one stays (409)."""
        return self.call(
            "POST", f"/v1/households/{segment(household)}/addresses/drop", AddressesOut, body=body, key=key
        )

    def address_first(self, household: UUID | str, body: WhichAddressIn, *, key: str | None = None) -> AddressesOut:
        """Let an address be tried before all others."""
        return self.call(
            "POST", f"/v1/households/{segment(household)}/addresses/first", AddressesOut, body=body, key=key
        )

    def consents(self, household: UUID | str) -> ConsentsOut:
        """What a household agrees to, purpose by purpose, with its history."""
        return self.call("GET", f"/v1/households/{segment(household)}/consents", ConsentsOut)

    def consent(self, household: UUID | str, body: ConsentIn, *, key: str | None = None) -> ConsentsOut:
        """A yes or no to one purpose; it holds from the next finding and the next message on."""
        return self.call("POST", f"/v1/households/{segment(household)}/consents", ConsentsOut, body=body, key=key)

    def erasure(self, household: UUID | str) -> ErasureOut:
        """What became of a wish to be forgotten."""
        return self.call("GET", f"/v1/households/{segment(household)}/erasure", ErasureOut)

    def ask_to_erase(self, household: UUID | str, *, key: str | None = None) -> ErasureOut:
        """Forget a household: a job takes out what names it. Open cases are cancelled, links end."""
        return self.call("POST", f"/v1/households/{segment(household)}/erasure", ErasureOut, key=key)

    def household_export(self, household: UUID | str) -> ExportOut:
        """Everything that is stored of a household; who took it is logged."""
        return self.call("GET", f"/v1/households/{segment(household)}/export", ExportOut)

    def home_links(self, household: UUID | str) -> HomeLinksOut:
        """The links that open a household's own pages, without their secrets."""
        return self.call("GET", f"/v1/households/{segment(household)}/links", HomeLinksOut)

    def home_link_new(self, household: UUID | str, *, key: str | None = None) -> NewLinkOut:
        """Make a household another link of its own: to be handed to it, and to nobody else."""
        return self.call("POST", f"/v1/households/{segment(household)}/links", NewLinkOut, key=key)

    def home_links_end(self, household: UUID | str, *, key: str | None = None) -> HomeLinksOut:
        """End all links of a household; those of its cases stay."""
        return self.call("POST", f"/v1/households/{segment(household)}/links/end", HomeLinksOut, key=key)

    def wishes(self, household: UUID | str) -> WishesOut:
        """Language and quiet hours."""
        return self.call("GET", f"/v1/households/{segment(household)}/wishes", WishesOut)

    def wishes_change(self, household: UUID | str, body: WishesIn, *, key: str | None = None) -> WishesOut:
        """Change them; it holds from the next message on."""
        return self.call("POST", f"/v1/households/{segment(household)}/wishes", WishesOut, body=body, key=key)

    def home_link_send(self, ticket: UUID | str, *, key: str | None = None) -> SentLinkOut:
        """Send the household of a ticket its own link, to the addresses that are known; at most one an hour."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/home-link", SentLinkOut, key=key)

    def case_links(self, ticket: UUID | str) -> CaseLinksOut:
        """The links that open a case, without their secrets."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/links", CaseLinksOut)

    def case_links_end(self, ticket: UUID | str, *, key: str | None = None) -> CaseLinksOut:
        """End all links of a case, as when a message went to a wrong address; the next message holds a new one."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/links/end", CaseLinksOut, key=key)
