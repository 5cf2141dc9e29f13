"""What can go wrong at the desk, in its own words, with the data that explains it."""

from __future__ import annotations

from telemetry.errors import WellkeptError


class DeskError(WellkeptError):
    """Root of the desk's errors."""


class WordedError(DeskError):
    """Something that people read in their own language.

    Attributes:
        message: the English sentence with names in braces, by which catalogues know it.
        values: what goes into them.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.message = message
        self.values = values


class IllegalMoveError(DeskError):
    """A state table forbids the move.

    Attributes:
        what: ticket, visit or quote.
        old: the present state.
        new: the refused one.
        legal: the states that may follow.
    """

    def __init__(self, what: str, old: str, new: str, legal: tuple[str, ...]) -> None:
        super().__init__(f"a {what} in {old} cannot become {new}; it may become {', '.join(legal) or 'nothing else'}")
        self.what = what
        self.old = old
        self.new = new
        self.legal = legal


class NeedsReasonError(DeskError):
    """The move must carry a reason."""


class UnknownError(DeskError):
    """There is no such ticket, visit, notice, household or technician."""


class ConflictError(DeskError):
    """Someone else changed the row since it was read; read it again."""


class AlreadyOpenError(DeskError):
    """Another ticket of the device and family is open."""


class WindowGoneError(DeskError):
    """The technician, or the ticket, has another visit then."""
