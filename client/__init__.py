"""A typed client of the HTTP API: every operation a method, every shape a type, problems as exceptions.

from client import Wellkept

with Wellkept("http://127.0.0.1:8080", token) as desk:
for ticket in desk.every(desk.tickets, state="open"):
print(ticket.ref, ticket.state)
"""

from __future__ import annotations

from client.core import Caller, Page, Patience, Seen
from client.desk import Wellkept
from client.problems import (
    BusyError,
    ChangedError,
    ClientError,
    ConflictError,
    ForbiddenError,
    IllegalMoveError,
    InvalidError,
    NotFoundError,
    ProblemError,
    UnauthorisedError,
    UnreachableError,
)
from client.watching import EventStream, Told
from client.webhook import CloudEvent, WebhookError, read_webhook

__all__ = [
    "BusyError",
    "Caller",
    "ChangedError",
    "ClientError",
    "CloudEvent",
    "ConflictError",
    "EventStream",
    "ForbiddenError",
    "IllegalMoveError",
    "InvalidError",
    "NotFoundError",
    "Page",
    "Patience",
    "ProblemError",
    "Seen",
    "Told",
    "UnauthorisedError",
    "UnreachableError",
    "WebhookError",
    "Wellkept",
    "read_webhook",
]
