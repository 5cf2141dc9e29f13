"""Names that people type: an unknown one is refused with the nearest that exists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from telemetry.errors import WellkeptError

_SHOWN = 12


class UnknownNameError(WellkeptError):
    """A name that nothing has; says the nearest valid one."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.what, self.name, self.known = what, name, tuple(known)
        self.nearest = nearest(name, self.known)
        super().__init__(f"no {what} {name!r}; {_hint(self.nearest, self.known)}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like another, or None when none does."""
    folded = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    return folded[found[0]] if found else None


def known_name(what: str, name: str, known: Iterable[str]) -> str:
    """The name itself, when it is known.

    Raises:
        UnknownNameError: it is not.
    """
    names = tuple(known)
    if name not in names:
        raise UnknownNameError(what, name, names)
    return name


def _hint(near: str | None, known: tuple[str, ...]) -> str:
    if near is not None:
        return f"the nearest is {near!r}"
    if not known:
        return "there is none at all"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"there are {', '.join(known[:_SHOWN])}{more}"
