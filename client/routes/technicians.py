"""Methods of technicians. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from client.core import Caller, segment
from client.types.technicians import AbsenceIn, TechnicianOut, TechniciansOut, TouchedListOut


class TechniciansRoutes(Caller):
    """Methods of technicians."""

    def technicians(self) -> TechniciansOut:
        """Active technicians with their skills, absences and the load of the next seven days."""
        return self.call("GET", "/v1/technicians", TechniciansOut)

    def one_technician(self, technician: UUID | str) -> TechnicianOut:
        """One technician."""
        return self.call("GET", f"/v1/technicians/{segment(technician)}", TechnicianOut)

    def absence_new(self, technician: UUID | str, body: AbsenceIn, *, key: str | None = None) -> TouchedListOut:
        """Enter an absence; the visits in it get other times where one fits, or go to dispatch."""
        return self.call("POST", f"/v1/technicians/{segment(technician)}/absences", TouchedListOut, body=body, key=key)

    def absence_touches(
        self, technician: UUID | str, *, from_: datetime | None = None, to: datetime | None = None
    ) -> TouchedListOut:
        """The visits that an absence would touch; nothing is entered."""
        return self.call(
            "GET", f"/v1/technicians/{segment(technician)}/touched", TouchedListOut, query={"from": from_, "to": to}
        )
