"""Which of its scenes a visit's page plays: proposed, moved by us, booked, under way, late, missed, cancelled, done."""

from __future__ import annotations

from dataclasses import dataclass

from api.i18n import Words
from api.pages.case import Case
from api.pages.owner_told import called
from servicedesk.office import OWNER
from servicedesk.states import PLANNABLE, VISIT_LIVE, VisitState
from storage.read_desk import EventView, VisitView


@dataclass(frozen=True, slots=True)
class Scene:
    """What the page says first.

    Attributes:
        name: `none, cancelled, missed, proposed, passed, moved, confirmed, dispatched, travelling, on_site, done`.
        icon, tone, word: the state in a word.
        heading: the sentence of the page.
        lead: what follows from it, or empty.
        pick: whether a time can be picked though no visit is ahead.
    """

    name: str
    icon: str
    tone: str
    word: str
    heading: str
    lead: str = ""
    pick: bool = False


def newest(case: Case) -> VisitView | None:
    """The visit that was made last, whatever became of it; of those of one moment the one that was moved to."""
    return max(case.visits, key=lambda each: (each.proposed, each.sequence), default=None)


def scene_of(case: Case, events: list[EventView], late: str) -> Scene:
    """The scene of a case's visit.

    Args:
        case: whose.
        events: its timeline.
        late: the sentence that says how late the technician is, or empty.
    """
    t, shown = case.t, case.visit
    last = newest(case)
    ahead = shown is not None and shown.state in VISIT_LIVE
    if last is not None and not ahead and last.state != VisitState.DONE:
        return _ended(case, last, events)
    if shown is None:
        lead = t("Choose a time that suits you, or a person from service calls you.")
        heading = t("No visit is planned right now")
        return Scene("none", "info", "is-unknown", t("No visit"), heading, lead, case.ticket.state in PLANNABLE)
    if shown.state == VisitState.PROPOSED:
        return _proposed(case, shown, events)
    return _under_way(t, shown, late)


def _ended(case: Case, last: VisitView, events: list[EventView]) -> Scene:
    t, day = case.t, case.t.long_day(last.start)
    pick = case.ticket.state in PLANNABLE
    if last.state == VisitState.MISSED:
        heading = t("Your visit on {day} did not take place. We are sorry.", day=day)
        lead = t("The fault is still there, and nothing is charged. Choose a new time, or we call you.")
        return Scene("missed", "tri", "is-warn", t("Missed"), heading, lead if pick else "", pick)
    by_owner = any(
        each.kind == "visit" and each.body.get("visit") == str(last.id) and each.actor == OWNER
        for each in events
        if each.body.get("new") in (VisitState.DECLINED, VisitState.CANCELLED)
    )
    lead = (
        t("You called it off. The fault is still there: choose another time when it suits you.")
        if by_owner
        else t("The fault is still there. Choose another time, or a person from service calls you.")
    )
    heading = t("Your visit on {day} is cancelled", day=day)
    return Scene("cancelled", "x", "is-unknown", t("Cancelled"), heading, lead if pick else "", pick)


def _proposed(case: Case, visit: VisitView, events: list[EventView]) -> Scene:
    t = case.t
    word = ("cal", "is-plan", t("Proposed"))
    if visit.start <= case.now:
        heading, lead = t("That time has passed"), t("Nothing was booked. These things happen: choose another time.")
        return Scene("passed", *word, heading, lead)
    others = [each for each in case.visits if each.id != visit.id]
    before = max(others, key=lambda each: (each.proposed, each.sequence), default=None)
    day = t.weekday_name(visit.start)
    if before is not None and before.state == VisitState.MISSED:
        heading = t("Your visit on {day} did not take place. We are sorry.", day=t.long_day(before.start))
        return Scene("missed", *word, heading, t("Does {day} suit you?", day=day))
    if before is not None and before.state == VisitState.MOVED and _by_us(events, before):
        lead = t("It was {was}. Nothing is fixed until you say yes.", was=_said(t, before))
        return Scene("moved", *word, t("We moved your visit. Does {day} suit you as well?", day=day), lead)
    return Scene("proposed", *word, t("Does this time suit you?"))


def _by_us(events: list[EventView], before: VisitView) -> bool:
    """Whether a visit that the owner had agreed to was moved by somebody else."""
    moved = (
        each.actor
        for each in events
        if each.kind == "visit" and each.body.get("new") == "moved" and each.body.get("visit") == str(before.id)
    )
    return before.confirmed is not None and next(moved, OWNER) != OWNER


def _under_way(t: Words, visit: VisitView, late: str) -> Scene:
    name = called(t, visit.technician_name)
    icon, tone, word, heading = {
        "confirmed": ("checkc", "is-ok", t("Confirmed"), t("Your visit is booked")),
        "dispatched": ("box", "is-plan", t("Preparing"), t("Your visit is being prepared")),
        "travelling": ("van", "is-plan", t("On the way"), t("{name} is on the way to you", name=name)),
        "on_site": ("wrench", "is-plan", t("In progress"), t("The repair is in progress")),
        "done": ("checkc", "is-ok", t("Done"), t("The visit is done")),
    }[visit.state]
    if late:
        lead = t("We are sorry. The visit takes place all the same, and nothing is charged for the wait.")
        return Scene(visit.state, "clock", "is-warn", t("Late"), late, lead)
    return Scene(visit.state, icon, tone, word, heading)


def _said(t: Words, visit: VisitView) -> str:
    return t.plain("{day}, {window}", day=t.long_day(visit.start), window=t.window(visit.start, visit.end))
