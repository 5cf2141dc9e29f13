"""A check of the doctor: what it looks at, what it finds, and the mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stack.errors import StackError
from storage.overview import Unreachable
from telemetry.errors import WellkeptError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what.
        where: address, path or table.
        result: `ok`, `note` (something optional is absent), `warning` (not for long) or `error` (it does not work).
        detail: what was found.
        mend: what to do, where something is to be done.
    """

    check: str
    where: str
    result: str
    detail: str
    mend: str = ""


class TroubleError(StackError):
    """A check's bad news.

    Attributes:
        mend: what to do.
        result: how bad it is.
        where: more precisely than the check knows.
    """

    def __init__(self, detail: str, mend: str, result: str = "error", where: str = "") -> None:
        super().__init__(detail)
        self.mend = mend
        self.result = result
        self.where = where


Check = tuple[str, str, Callable[[], str]]
"""Name, where it looks, and what looks: gives what was found well, or raises `TroubleError`."""


def run_checks(checks: Iterable[Check]) -> list[Finding]:
    """Carry checks out, each whatever became of the others."""
    findings = []
    for name, where, look in checks:
        try:
            findings.append(Finding(name, where, "ok", look()))
        except TroubleError as trouble:
            findings.append(Finding(name, trouble.where or where, trouble.result, str(trouble), trouble.mend))
        except (WellkeptError, OSError, Unreachable) as error:
            said = str(error).splitlines()[0] if str(error) else repr(error)
            findings.append(Finding(name, where, "error", said, "see the log of the part, then `wellkept up`"))
    return findings
