"""What can go wrong, as exceptions: one for each kind of problem that callers decide by, with its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry.errors import WellkeptError

_PREFIX = "https://wellkept.invalid/problems/"


class ClientError(WellkeptError):
    """Root of the client's errors."""


class UnreachableError(ClientError):
    """No answer came, or one that is not understood. A change may have been made: repeat it with the same key."""


class ProblemError(ClientError):
    """The service answered with a problem (RFC 9457).

    Attributes:
        kind: a stable word, the end of the problem's `type`.
        status: of the answer.
        title: what it is in general.
        detail: what it is this time.
        members: all of its members.
        retry_after: seconds after which to repeat, where the answer says so.
    """

    def __init__(self, status: int, members: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.members = members
        self.kind = str(members.get("type", "")).removeprefix(_PREFIX) or f"http-{status}"
        self.title = str(members.get("title", f"HTTP {status}"))
        self.detail = str(members.get("detail", ""))
        self.retry_after = retry_after
        super().__init__(f"{self.title}: {self.detail}" if self.detail else self.title)

    @property
    def legal(self) -> tuple[str, ...]:
        """What is possible instead, where the problem says so."""
        legal = self.members.get("legal")
        return tuple(str(each) for each in legal) if isinstance(legal, list) else ()


class UnauthorisedError(ProblemError):
    """The token is unknown, ended or revoked."""


class ForbiddenError(ProblemError):
    """The token's role does not hold the right."""


class NotFoundError(ProblemError):
    """There is none, or it lies outside the token's scope."""


class ConflictError(ProblemError):
    """The state of things does not allow it now; read again."""


class IllegalMoveError(ConflictError):
    """The state table forbids the move; `legal` says what may follow."""

    @property
    def state(self) -> str:
        """The present state."""
        return str(self.members.get("state", ""))


class ChangedError(ProblemError):
    """It is no longer what `if_match` named; `present` is what it is now."""

    @property
    def etag(self) -> str:
        """Of what it is now."""
        return str(self.members.get("etag", ""))

    @property
    def present(self) -> Mapping[str, Any]:
        """The resource as it stands, as JSON."""
        found = self.members.get("present")
        return found if isinstance(found, dict) else {}


class InvalidError(ProblemError):
    """The request does not fit; `errors` names each field."""

    @property
    def errors(self) -> list[Mapping[str, str]]:
        """`where` and `what`, and `pointer` into the body."""
        found = self.members.get("errors")
        return found if isinstance(found, list) else []


class BusyError(ProblemError):
    """Too many requests, or the service is not there for now; it was repeated for as long as patience allows."""


_BY_KIND: Mapping[str, type[ProblemError]] = {
    "illegal-move": IllegalMoveError,
    "precondition-failed": ChangedError,
}
_BY_STATUS: Mapping[int, type[ProblemError]] = {
    400: InvalidError,
    401: UnauthorisedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidError,
    429: BusyError,
    503: BusyError,
}


def problem_of(status: int, members: Mapping[str, Any], retry_after: float | None) -> ProblemError:
    """The exception of an answer."""
    made = ProblemError(status, members, retry_after)
    kind = _BY_KIND.get(made.kind) or _BY_STATUS.get(status, ProblemError)
    return kind(status, members, retry_after)
