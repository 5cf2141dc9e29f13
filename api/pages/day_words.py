"""Words of a technician's pages: what was done, why something was not entered, names of phases and moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.i18n import Words
from api.pages.timeline import visit_name
from servicedesk.checklists import Phase
from servicedesk.errors import NeedsReasonError
from servicedesk.model import OutcomeCode


class NeedsCauseError(NeedsReasonError):
    """A repair names the cause that was found."""


DELAYS = (15, 30, 45, 60, 90)
"""Minutes after the window's beginning, or after now, that a technician may tell."""


def told(t: Words, query: Mapping[str, str]) -> tuple[bool, str, str] | None:
    """What became of the last thing that was sent, from the page's address."""
    done, gone = query.get("done", ""), query.get("gone", "")
    if gone:
        return False, *refusal(t, gone, dict(query))
    known = {
        "loaded": (t("Van loaded"), t("The households see that their visit is being prepared.")),
        "travelling": (t("You are on the way"), t("The household sees it on its page.")),
        "on_site": (t("You have arrived"), t("Say the code first, then begin with safety.")),
        "late": (t("The household was told"), t("The new time stands on its page.")),
        "missed": (t("Dispatch has taken over"), t("Another time is being looked for.")),
        "ticked": (t("The list is saved"), t("Dispatch sees the same list.")),
        "photo": (t("The photo is saved"), t("It stands on the ticket, without the place where it was taken.")),
        "outcome": (t("The visit is done"), t("Outcome and parts are entered.")),
    }.get(done)
    return None if known is None else (True, str(known[0]), str(known[1]))


def refusal(t: Words, kind: str, extra: Mapping[str, Any]) -> tuple[str, str]:
    """Why something was not entered, and one way on; `kind` is the problem's."""
    state = visit_name(t, str(extra.get("state", "")))
    known = {
        "illegal-move": (
            t("The visit has moved on"),
            t("It is “{state}” by now, so this was not entered.", state=state)
            if state
            else t("It stands elsewhere by now, so this was not entered."),
        ),
        "conflict": (t("Someone was faster"), t("The visit was changed meanwhile. Look at it and send it again.")),
        "needs-reason": (
            t("A reason is needed"),
            t("Say in the note why: for a part outside the diagnosis, and for a visit that fails."),
        ),
        "above-agreed": (
            t("That is more than was agreed"),
            t("At most {most} may be charged. For more, dispatch sends a new quote first.", most=extra.get("most", "")),
        ),
        "no-photo": (t("This is no photo that we take"), t("A JPEG, PNG or WebP of at most 700 kB, 20 to a ticket.")),
        "not-asked": (t("That does not fit this visit"), t("Open the page again: its list has changed.")),
        "needs-cause": (
            t("A cause is needed"),
            t("A repair names the cause that you found. Nothing found? Choose “no fault found”."),
        ),
        "not-found": (
            t("This visit is not yours any more"),
            t("Dispatch has given it to somebody else, or it is gone."),
        ),
    }
    title, detail = known.get(
        kind, (t("That was not entered"), t("Nothing was changed. Open the page and send it again."))
    )
    return str(title), str(detail)


def phase_name(t: Words, phase: Phase) -> str:
    """A part of the checklist."""
    return {
        Phase.VAN: t.plain("Into the van"),
        Phase.SAFETY: t.plain("Safety first"),
        Phase.TEST: t.plain("Test"),
        Phase.REPAIR: t.plain("Repair"),
        Phase.PROOF: t.plain("Proof before you leave"),
    }[phase]


def outcome_words(t: Words) -> dict[str, tuple[str, str]]:
    """What can come of a visit: its name, and what follows."""
    return {
        OutcomeCode.REPAIRED: (
            t.plain("It works again"),
            t.plain("With the cause that you found; the readings then prove it."),
        ),
        OutcomeCode.NO_FAULT_FOUND: (t.plain("No fault found"), t.plain("The case ends; nothing is charged.")),
        OutcomeCode.PART_MISSING: (
            t.plain("A part is missing"),
            t.plain("It is ordered, and the next visit is planned for when it is there."),
        ),
        OutcomeCode.NOT_REPAIRED: (
            t.plain("Not repaired"),
            t.plain("Another visit is planned, without a second call-out fee."),
        ),
    }


def reasons(t: Words) -> list[tuple[str, str]]:
    """Why a visit cannot be made: what dispatch reads, and its words."""
    return [
        ("nobody at home", t.plain("Nobody opens the door")),
        ("access denied", t.plain("I was not let in")),
        ("address not found", t.plain("The address is not to be found")),
        ("van broke down", t.plain("The van broke down")),
        ("technician ill", t.plain("I am ill")),
        ("previous visit takes longer", t.plain("The visit before takes too long")),
    ]
