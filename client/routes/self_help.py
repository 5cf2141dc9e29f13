"""Methods of self-help. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from client.core import Caller, segment
from client.types.self_help import (
    CareReportOut,
    PhotoContentOut,
    PhotoIn,
    PhotoOut,
    PhotosOut,
    SelfCheckOut,
    SelfTestOut,
    SelfTestsOut,
    StepIn,
)
from client.types.shared import TicketDetailOut


class SelfHelpRoutes(Caller):
    """Methods of self-help."""

    def care_report(self, *, from_: datetime | None = None, to: datetime | None = None) -> CareReportOut:
        """Visits that self-help has saved, and how content owners were. Households without consent do not count."""
        return self.call("GET", "/v1/reports/care", CareReportOut, query={"from": from_, "to": to})

    def photos(self, ticket: UUID | str) -> PhotosOut:
        """A ticket's photos."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/photos", PhotosOut)

    def upload_photo(self, ticket: UUID | str, body: PhotoIn, *, key: str | None = None) -> PhotoOut:
        """Put a photo on a ticket. Its type is told by its content, and metadata is taken out."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/photos", PhotoOut, body=body, key=key)

    def one_photo(self, ticket: UUID | str, photo: UUID | str) -> PhotoContentOut:
        """A photo as data: nothing that a browser would run."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/photos/{segment(photo)}", PhotoContentOut)

    def self_check(self, ticket: UUID | str) -> SelfCheckOut:
        """The guide of a ticket's fault, what was answered, and what is asked next."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/self-check", SelfCheckOut)

    def answer_self_check(self, ticket: UUID | str, body: StepIn, *, key: str | None = None) -> SelfCheckOut:
        """Answer a step. Technician and dispatcher read the answers: nobody asks twice."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/self-check", SelfCheckOut, body=body, key=key)

    def self_tests(self, ticket: UUID | str) -> SelfTestsOut:
        """What the ticket's device said of itself."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/self-tests", SelfTestsOut)

    def ask_for_self_test(self, ticket: UUID | str, *, key: str | None = None) -> SelfTestOut:
        """Ask the device to test itself.

        It takes minutes; a device that does not answer within 20 is said to be silent.
        """
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/self-tests", SelfTestOut, key=key)

    def withdrawal(self, ticket: UUID | str, *, if_match: str | None = None, key: str | None = None) -> TicketDetailOut:
        """The readings have recovered and no visit is needed: one tap ends the case. Twice is the same as once."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/withdrawal", TicketDetailOut, if_match=if_match, key=key
        )
