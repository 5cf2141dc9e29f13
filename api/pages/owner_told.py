"""What became of the owner's last choice, and moments as owners read them."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request

from api.i18n import Words
from api.pages.case import Case


def told_of(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    done, gone = request.query_params.get("done"), request.query_params.get("gone")
    told = {
        "confirmed": (True, t("Visit confirmed"), t("We have told the technician.")),
        "moved": (True, t("Your time is booked"), t("We have told the technician.")),
        "written": (
            True,
            t("Your message was sent."),
            t("Your message reaches the same ticket; a person answers within service hours."),
        ),
        "self-check": (True, t("Thank you for the answer"), t("It stands on the ticket; nobody asks again.")),
        "withdrawn": (True, t("The visit is withdrawn"), t("Nothing is charged. The appliance stays under watch.")),
        "approved": (True, t("Quote approved"), t("Nothing above this is charged without your consent.")),
        "declined": (True, t("Quote declined"), t("Nothing is charged. A person from service calls you.")),
        "no-problem": (True, t("Thank you, the ticket is closed"), t("No visit takes place and nothing is charged.")),
    }.get(done or "")
    gone_to = {
        "visit": (False, t("That visit can no longer be confirmed"), t("These times are free now.")),
        "window": (False, t("That window has just gone"), t("Someone else took it. These are free now.")),
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
    }.get(gone or "")
    return told or gone_to


def until(case: Case, moment: datetime) -> str:
    """A time today, else a day and time."""
    t = case.t
    same = t.local(moment).date() == t.local(case.now).date()
    return t.time(moment) if same else t.stamp(moment)
