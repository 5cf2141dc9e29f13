"""What became of the owner's last choice; moments, names and browsers as owners' pages need them."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request

from api.i18n import Words
from api.pages.case import Case

_DOUBLE = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "端木", "夏侯")
_CJK = "\u4e00", "\u9fff"
Told = tuple[bool, str, str]
"""Whether it went well, a heading, a sentence."""


def told_of(request: Request, t: Words) -> Told | None:
    """What became of the last choice."""
    done, gone = request.query_params.get("done"), request.query_params.get("gone")
    return _done(t).get(done or "") or _gone(t).get(gone or "")


def _done(t: Words) -> dict[str, Told]:
    technician, ticket = t("We have told the technician."), t("It stands on the ticket; nobody asks again.")
    return {
        "confirmed": (True, t("Visit confirmed"), technician),
        "moved": (True, t("Your time is booked"), technician),
        "answered": (True, t("Thank you for the answers"), t("The technician sees them on the day of the visit only.")),
        "written": (
            True,
            t("Your message was sent."),
            t("Your message reaches the same ticket; a person answers within service hours."),
        ),
        "called": (True, t("We call you"), t("A person calls within an hour, at the number that you gave us.")),
        "cancelled": (True, t("Your visit is cancelled"), t("Nothing is charged. The fault stays under watch.")),
        "unplugged": (True, t("Thank you: it is off"), t("Leave it off until the technician has looked at it.")),
        "self-check": (True, t("Thank you for the answer"), ticket),
        "withdrawn": (True, t("The visit is withdrawn"), t("Nothing is charged. The appliance stays under watch.")),
        "no-problem": (True, t("Thank you, the ticket is closed"), t("No visit takes place and nothing is charged.")),
    }


def _gone(t: Words) -> dict[str, Told]:
    return {
        "visit": (False, t("That visit can no longer be confirmed"), t("These times are free now.")),
        "window": (False, t("That window has just gone"), t("Someone else took it. These are free now.")),
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
    }


def until(case: Case, moment: datetime) -> str:
    """A time today, else a day and time."""
    t = case.t
    same = t.local(moment).date() == t.local(case.now).date()
    return t.time(moment) if same else t.stamp(moment)


def called(t: Words, name: str) -> str:
    """What a household calls a technician: the first name; of a Chinese name the surname with its courtesy."""
    if not _chinese(name):
        return name.split(maxsplit=1)[0] if name.split() else name
    surname = next((each for each in _DOUBLE if name.startswith(each)), name[:1])
    return f"{surname}师傅" if t.lang == "zh" else name


def initials(name: str) -> str:
    """Two letters for a drawn portrait, or one character of a Chinese name."""
    words = name.split()
    return name[:1] if _chinese(name) or not words else "".join(word[0] for word in words[:2]).upper()


def in_wechat(request: Request) -> bool:
    """Whether the page is read inside WeChat, whose browser neither downloads files nor opens calendars."""
    return "micromessenger" in request.headers.get("user-agent", "").lower()


def _chinese(name: str) -> bool:
    return bool(name) and _CJK[0] <= name[0] <= _CJK[1]
