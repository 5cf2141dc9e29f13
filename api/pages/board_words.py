"""What the dispatch board says: rules that are broken, reasons of suggestions, states of visits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from api.i18n import Words
from servicedesk.moves import Breach, Rule
from servicedesk.suggesting import Suggestion

STATE_ICONS: Mapping[str, str] = {
    "proposed": "mail",
    "confirmed": "checkc",
    "dispatched": "cal",
    "travelling": "van",
    "on_site": "wrench",
    "done": "check",
}


def state_word(t: Words, state: str) -> str:
    """A visit's state in one or two words that fit a block."""
    return {
        "proposed": t.plain("Asked"),
        "confirmed": t.plain("Agreed"),
        "dispatched": t.plain("Preparing"),
        "travelling": t.plain("On the way"),
        "on_site": t.plain("On site"),
        "done": t.plain("Done"),
    }[state]


def skill_name(t: Words, skill: str) -> str:
    """A skill of the catalogue."""
    return {
        "cooling": t.plain("Cooling"),
        "laundry": t.plain("Laundry"),
        "appliances": t.plain("Small appliances"),
        "hydraulics": t.plain("Hydraulics"),
    }.get(skill, skill.replace("_", " "))


def breach_short(t: Words, breach: Breach) -> str:
    """A conflict in the few words that a block has room for."""
    minutes = breach.said.get("minutes", 0)
    match breach.rule:
        case Rule.TRAVEL:
            return t.plain("{n} min short", n=minutes)
        case Rule.OVERTIME:
            return t.plain("{n} min overtime", n=minutes)
    return {
        Rule.SKILL: t.plain("No skill"),
        Rule.ABSENCE: t.plain("Absent"),
        Rule.WORKING_HOURS: t.plain("No shift"),
        Rule.DOUBLE_BOOKING: t.plain("Booked twice"),
        Rule.BREAK: t.plain("No break"),
        Rule.PART: t.plain("No part"),
        Rule.REMAINING_LIFE: t.plain("Too late"),
    }.get(breach.rule, str(breach.rule))


def breach_line(t: Words, breach: Breach, who: str) -> str:  # noqa: PLR0911  (a sentence each)
    """A broken rule in a sentence."""
    said = breach.said
    match breach.rule:
        case Rule.SKILL if "since" in said:
            return t.plain(
                "{name}'s skill {skill} ended on {day}.",
                name=who,
                skill=skill_name(t, str(said["skill"])),
                day=_day(t, said["since"]),
            )
        case Rule.SKILL:
            skill = skill_name(t, str(said.get("skill", "")))
            return t.plain("{name} does not have the skill {skill}.", name=who, skill=skill)
        case Rule.TRAVEL:
            n = said.get("minutes", 0)
            return t.plain("{name} would be {n} min late for a window: the way is too long.", name=who, n=n)
        case Rule.OVERTIME:
            return t.plain("Outside {name}'s shift by {n} min.", name=who, n=said.get("minutes", 0))
        case Rule.PART if "until" in said:
            return t.plain("Part {sku} arrives only on {when}.", sku=said["sku"], when=_stamp(t, said["until"]))
        case Rule.PART:
            return t.plain("Part {sku} is neither in the van nor in the depot, and none is ordered.", sku=said["sku"])
        case Rule.REMAINING_LIFE:
            return t.plain("The appliance may fail before: from {when} on.", when=_stamp(t, said["until"]))
        case Rule.NOTICE:
            left = t.span(timedelta(minutes=int(said.get("minutes", 0))))
            return t.plain("Short notice: it begins in {span}.", span=left)
        case Rule.LOCKED:
            return t.plain("{name} locked this visit. Unlock it first.", name=said.get("by", ""))
    return _plain(t, breach.rule, who)


def _plain(t: Words, rule: Rule, who: str) -> str:
    """Rules that need no figures."""
    return {
        Rule.HOUSEHOLD: t.plain("No household is registered for this appliance."),
        Rule.BEGUN: t.plain("This window has begun."),
        Rule.WINDOW: t.plain("Visits begin at 8, 10, 12, 14, 16 or 18 o'clock."),
        Rule.STATE: t.plain("This visit can no longer be moved."),
        Rule.CONFIRMED: t.plain("The owner has confirmed another window."),
        Rule.ABSENCE: t.plain("{name} is absent then.", name=who),
        Rule.WORKING_HOURS: t.plain("{name} has no shift on that day.", name=who),
        Rule.DOUBLE_BOOKING: t.plain("{name} has another visit in this window.", name=who),
        Rule.BREAK: t.plain("{name}'s break would have no room.", name=who),
        Rule.REFUSED_DAY: t.plain("The owner has declined this day before."),
    }[rule]


def reasons_of(t: Words, one: Suggestion) -> list[tuple[bool, str]]:
    """Why a suggestion is good: for each line whether it speaks for it, and the words."""
    minutes = round(one.detour / 60)
    lines = [
        (True, t.plain("No extra way")) if minutes <= 0 else (True, t.plain("{n} min extra way", n=minutes)),
        (True, t.plain("Same area")) if one.same_area else (False, t.plain("Other area")),
        (True, t.plain("Visits on that day: {n}", n=one.visits)),
    ]
    where = {place for _, place in one.parts}
    if "ordered" in where:
        lines.append((False, t.plain("The part is on order")))
    elif "depot" in where:
        lines.append((True, t.plain("Part in the depot")))
    elif where:
        lines.append((True, t.plain("Part in the van")))
    if one.skill_until is not None:
        lines.append((False, t.plain("Skill valid until {day}", day=t.day(one.skill_until))))
    if one.life_left is not None:
        early = one.life_left >= timedelta(0)
        left = t.span(abs(one.life_left))
        words = t.plain("{span} in hand", span=left) if early else t.plain("It may fail before")
        lines.append((early, words))
    return lines


def _day(t: Words, value: object) -> str:
    return t.day(value) if isinstance(value, date) else str(value)


def _stamp(t: Words, value: object) -> str:
    return t.stamp(value) if isinstance(value, datetime) else str(value)
