"""Errors of the shared words. Each says what is wrong, where, and how to mend it."""


class WellkeptError(Exception):
    """Root of every error the product raises on purpose."""


class WireError(WellkeptError):
    """A payload, topic or block that does not follow the wire format.

    Attributes:
        reason: a stable word, stored as the reason of a dead letter.
        detail: one sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CatalogueError(WellkeptError):
    """A catalogue file that does not validate; names file, key and what is allowed."""

    def __init__(self, file: str, key: str, detail: str, line: int | None = None) -> None:
        where = f"{file}:{line}" if line is not None else file
        super().__init__(f"{where}: {key}: {detail}")
        self.file = file
        self.key = key
        self.line = line
        self.detail = detail
