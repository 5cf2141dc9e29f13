"""Methods of survey. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, segment
from client.types.survey import SurveyIn, SurveyOut


class SurveyRoutes(Caller):
    """Methods of survey."""

    def survey(self, ticket: UUID | str) -> SurveyOut:
        """The survey of a case."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/survey", SurveyOut)

    def answer_survey(self, ticket: UUID | str, body: SurveyIn, *, key: str | None = None) -> SurveyOut:
        """How it was. It is answered once; two or less opens the case again, and a person calls within two hours."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/survey", SurveyOut, body=body, key=key)
