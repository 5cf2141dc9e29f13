"""Guides by which owners help themselves: steps with a question, whose answers lead on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec

from telemetry.catalogue.text import Text

NEXT: Literal["next"] = "next"
WAIT: Literal["wait"] = "wait"
VISIT: Literal["visit"] = "visit"
"""Where answers lead: to the next step, to what the readings will say, or on to the visit."""


class GuideAnswer(Text, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an owner can say to a step.

    Attributes:
        to: `next`, `wait`, `visit`, or the number of a later step.
    """

    to: Annotated[int, msgspec.Meta(ge=2)] | Literal["next", "wait", "visit"] = NEXT


DONE, CANNOT = "done", "cannot"
PLAIN: Mapping[str, GuideAnswer] = {
    DONE: GuideAnswer("做好了", "Done", to=NEXT),
    CANNOT: GuideAnswer("做不了", "I cannot do that", to=VISIT),
}
"""The answers to a step that asks nothing else."""


class GuideStep(Text, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an owner does or looks at.

    Attributes:
        picture: name of a drawing among the guides' pictures; none when empty.
        question: what is asked about it, where the step itself does not ask.
        answers: by id; without any it is done, or cannot be done.
    """

    picture: Annotated[str, msgspec.Meta(pattern=r"^([a-z][a-z0-9_]{0,47})?$")] = ""
    question: Text | None = None
    answers: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")], GuideAnswer] = msgspec.field(
        default_factory=dict
    )

    def choices(self) -> Mapping[str, GuideAnswer]:
        """What may be answered."""
        return self.answers or PLAIN


def leads(guide: tuple[GuideStep, ...], step: int, answer: str) -> str:
    """Where an answer to a step (counted from 1) leads: `wait`, `visit`, or the number of a step.

    Raises:
        KeyError: the step has no such answer.
        IndexError: there is no such step.
    """
    if not 1 <= step <= len(guide):
        raise IndexError(step)
    to = guide[step - 1].choices()[answer].to
    if to == NEXT:
        return str(step + 1) if step < len(guide) else WAIT
    return str(to)


def guide_problems(guide: tuple[GuideStep, ...]) -> Iterator[str]:
    """What single fields cannot say of a guide: it only goes forward, and it ends in a way that may help."""
    for number, step in enumerate(guide, 1):
        for name, answer in step.choices().items():
            if isinstance(answer.to, int) and not number < answer.to <= len(guide):
                yield f"step {number}: {name!r} leads to {answer.to}, which is no later step of {len(guide)}"
    ends = [leads(guide, number, name) for number, step in enumerate(guide, 1) for name in step.choices()]
    if guide and WAIT not in ends:
        yield "no answer ends in waiting for the readings: nobody could help themselves by it"
