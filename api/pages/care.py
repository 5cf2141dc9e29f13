"""Self-help and the survey as owners' pages show them; and their timeline lines in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.context import Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.self_test_words import self_test_words
from servicedesk.selfcheck import progress
from telemetry.catalogue import GuideStep, KindSpec


def care_values(tx: Tx, case: Case) -> dict[str, Any]:
    """For the template: what was answered, what is asked next, whether one tap ends it, and the survey."""
    t, desk = case.t, tx.office.desk
    found = progress(tx.office, desk.tickets.get(case.ticket.id))
    asked = None if found.step is None else _asked(t, found.step, found.guide[found.step - 1])
    given = [
        (t.pick(found.guide[each.step - 1]), t.pick(found.guide[each.step - 1].choices()[each.answer]))
        for each in found.answers
        if each.step <= len(found.guide) and each.answer in found.guide[each.step - 1].choices()
    ]
    survey = desk.care.surveys.get(case.ticket.id)
    return {
        "asked": asked,
        "of": len(found.guide),
        "given": given,
        "leads": found.leads,
        "withdrawable": found.withdrawable,
        "survey": survey is not None and survey.answered is None,
    }


def _asked(t: Words, number: int, step: GuideStep) -> dict[str, Any]:
    return {
        "step": number,
        "text": t.pick(step),
        "question": None if step.question is None else t.pick(step.question),
        "picture": f"guides/{step.picture}.svg" if step.picture else None,
        "answers": [(name, t.pick(each)) for name, each in step.choices().items()],
    }


def care_line(
    t: Words, kind: str, body: Mapping[str, Any], appliance: KindSpec | None = None
) -> tuple[str, str] | None:
    """Icon and sentence of a line, or None when it is none of these; `appliance` names what a self-test measured."""
    match kind:
        case "self_check":
            return "wrench", t.plain(
                "Self-check, step {step}: {answer}", step=body.get("step"), answer=_said(t, str(body.get("answer")))
            )
        case "self_test_asked":
            return "wrench", t.plain("The appliance was asked to test itself")
        case "self_test":
            return "wrench", self_test_words(t, body, appliance)
        case "override":
            return "flag", t.plain("Went past a rule: {reason}", reason=body.get("reason") or "")
        case "survey":
            return "flag", t.plain("The owner rated the repair: {score} of 5", score=body.get("score"))
        case _:
            return {
                "withdrawal_offered": ("inband", t.plain("The owner may withdraw the visit")),
                "visit_avoided": ("check", t.plain("No visit was needed")),
                "survey_asked": ("mail", t.plain("Asked the owner how it was")),
                "photo": ("info", t.plain("A photo was added")),
                "access": ("key", t.plain("The owner said how to get in")),
                "call_me": ("phone", t.plain("The owner asks for a call")),
                "unplugged": ("stop", t.plain("The owner has switched the appliance off")),
            }.get(kind)


def care_stage(t: Words, stage: str) -> str | None:
    """What a message was about, or None when it is none of these."""
    return {
        "recovered": t.plain("the visit can be withdrawn"),
        "recovered_no_visit": t.plain("the readings have recovered"),
        "self_fixed": t.plain("no visit is needed"),
        "survey": t.plain("how was it?"),
    }.get(stage)


def _said(t: Words, answer: str) -> str:
    """The two answers that every plain step has; others by their id."""
    return {"done": t.plain("done"), "cannot": t.plain("not possible")}.get(answer, answer.replace("_", " "))
