"""Methods of levels. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from client.core import Caller, segment
from client.types.levels import (
    CallsOut,
    ChannelIn,
    ChannelOut,
    FirstContactOut,
    OnCallEndIn,
    OnCallIn,
    OnCallOut,
    RosterEntriesOut,
    RosterOut,
    SilenceEndIn,
    SilenceIn,
    SilenceOut,
    SilencesOut,
    TicketLevelsOut,
    TierIn,
    TierOut,
    WallOut,
    WarningsOut,
)


class LevelsRoutes(Caller):
    """Methods of levels."""

    def calls(self) -> CallsOut:
        """Calls that a person is to make, in the order of work."""
        return self.call("GET", "/v1/calls", CallsOut)

    def household_channel(self, household: UUID | str, body: ChannelIn, *, key: str | None = None) -> ChannelOut:
        """Give a household another channel: the second rung of the ladder, or the first with a rank below 0."""
        return self.call("POST", f"/v1/households/{segment(household)}/channels", ChannelOut, body=body, key=key)

    def household_tier(self, household: UUID | str, body: TierIn, *, key: str | None = None) -> TierOut:
        """Put a household into a tier. It orders work inside one severity only."""
        return self.call("POST", f"/v1/households/{segment(household)}/tier", TierOut, body=body, key=key)

    def roster(self, *, org: str | None = None) -> RosterOut:
        """Who is on call now, by step."""
        return self.call("GET", "/v1/oncall", RosterOut, query={"org": org})

    def roster_new(self, body: OnCallIn, *, key: str | None = None) -> OnCallOut:
        """Enter a person on the roster: an unacknowledged case of severity 1 or 2 goes up its steps."""
        return self.call("POST", "/v1/oncall", OnCallOut, body=body, key=key)

    def oncall_end(self, body: OnCallEndIn, *, key: str | None = None) -> RosterEntriesOut:
        """Take a person off the roster from now on. Answers with who is left."""
        return self.call("POST", "/v1/oncall/end", RosterEntriesOut, body=body, key=key)

    def first_contact_report(self, *, from_: datetime | None = None, to: datetime | None = None) -> FirstContactOut:
        """How soon a person reached owners after severity 1 or a complaint."""
        return self.call("GET", "/v1/reports/first-contact", FirstContactOut, query={"from": from_, "to": to})

    def roster_entries(self) -> RosterEntriesOut:
        """Who is on call, now and later."""
        return self.call("GET", "/v1/roster", RosterEntriesOut)

    def silences(self) -> SilencesOut:
        """Silences in force, each with what it has kept back."""
        return self.call("GET", "/v1/silences", SilencesOut)

    def silence_new(self, body: SilenceIn, *, key: str | None = None) -> SilenceOut:
        """Keep messages back: a maintenance window or a snooze until its end, a mute until it is ended."""
        return self.call("POST", "/v1/silences", SilenceOut, body=body, key=key)

    def silence_end(self, body: SilenceEndIn, *, key: str | None = None) -> SilencesOut:
        """End a silence now; messages that wait for it go out at the time they were told. Answers with what is left."""
        return self.call("POST", "/v1/silences/end", SilencesOut, body=body, key=key)

    def ticket_levels(self, ticket: UUID | str) -> TicketLevelsOut:
        """What is promised to a case, how far each clock is, what was given for broken promises, and the downtime."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/levels", TicketLevelsOut)

    def wall(self) -> WallOut:
        """How promises stand now: broken, in danger, standing; each case once, by its worst promise."""
        return self.call("GET", "/v1/wall", WallOut)

    def warnings(self) -> WarningsOut:
        """Channels that do not work now; `warned` is set once they have failed for a quarter of an hour."""
        return self.call("GET", "/v1/warnings", WarningsOut)
