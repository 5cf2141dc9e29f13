"""Cosmetic damage, warranty void: a table decides, with reasons; a denial needs a rule and its evidence; appeal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicedesk.covering import SameReviewerError, appeal, deny, record_evidence, settle_appeal, verdict_on
from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError, UnknownError
from servicedesk.model import Ticket
from servicedesk.money_rows import CoverStep
from servicedesk.warranty import Cover, DenialError, Facts, evaluate, read_table, table
from tests.servicedesk.world import World

TODAY = date(2026, 3, 2)


def covered(world: World) -> Ticket:
    world.appliance = replace(world.appliance, warranty_until=(world.now + timedelta(days=100)).date())
    world.desk.people.appliances[1] = world.appliance
    ticket = world.opened()
    world.work()
    return ticket


@pytest.mark.parametrize("code", ["cosmetic_damage", "foreign_firmware"])
def test_cosmetic_damage_or_foreign_firmware_alone_denies_nothing(code: str) -> None:
    world = World()
    ticket = covered(world)
    record_evidence(world.office, ticket.id, code, world.now, "technician:1", note="picture 1 of the visit")
    assert verdict_on(world.office, ticket, world.now).cover is Cover.COVERED
    for rule in ("foreign_firmware", "liquid", "cosmetic_damage", "in_term"):
        with pytest.raises(DenialError):
            deny(world.office, ticket.id, rule, world.now, "dispatch")


def test_a_denial_stands_on_a_rule_and_its_evidence_and_tells_the_owner() -> None:
    world = World()
    ticket = covered(world)
    with pytest.raises(DenialError, match="liquid_inside") as refused:
        deny(world.office, ticket.id, "liquid", world.now, "dispatch")
    assert refused.value.missing == ("liquid_inside",)
    with pytest.raises(NeedsReasonError):
        record_evidence(world.office, ticket.id, "liquid_inside", world.now, "technician:1", note="")
    with pytest.raises(UnknownError, match="liquid_inside"):
        record_evidence(world.office, ticket.id, "wet", world.now, "technician:1", note="it was wet")
    record_evidence(world.office, ticket.id, "liquid_inside", world.now, "technician:1", note="picture 2 of the visit")
    # Evidence alone changes nothing: a person decides, and answers for it.
    assert verdict_on(world.office, ticket, world.now).cover is Cover.COVERED
    decision = deny(world.office, ticket.id, "liquid", world.now, "dispatch")
    verdict = verdict_on(world.office, ticket, world.now)
    assert (verdict.cover, verdict.rule, verdict.evidence) == (Cover.DENIED, "liquid", ("liquid_inside",))
    assert decision.actor == "dispatch"
    assert "warranty_denied" in world.stages(ticket)
    with pytest.raises(IllegalMoveError):
        deny(world.office, ticket.id, "liquid", world.now, "dispatch")


def test_an_appeal_goes_to_a_third_person_and_is_final() -> None:
    world = World()
    ticket = covered(world)
    with pytest.raises(IllegalMoveError):
        appeal(world.office, ticket.id, "it never was wet", world.now)
    record_evidence(world.office, ticket.id, "liquid_inside", world.now, "technician:1", note="picture 2 of the visit")
    deny(world.office, ticket.id, "liquid", world.now, "dispatch:a")
    decision = appeal(world.office, ticket.id, "it never was wet", world.now)
    with pytest.raises(SameReviewerError):
        settle_appeal(world.office, decision.id, world.now, "dispatch:a", upheld=True, reason="I said so")
    with pytest.raises(NeedsReasonError):
        settle_appeal(world.office, decision.id, world.now, "dispatch:b", upheld=False, reason="")
    settled = settle_appeal(world.office, decision.id, world.now, "dispatch:b", upheld=False, reason="condensation")
    assert settled.step is CoverStep.OVERTURNED
    assert verdict_on(world.office, ticket, world.now).cover is Cover.COVERED
    assert "warranty_overturned" in world.stages(ticket)
    with pytest.raises(IllegalMoveError):
        appeal(world.office, ticket.id, "again", world.now)


def test_an_appeal_that_nobody_answers_goes_to_a_supervisor() -> None:
    world = World()
    ticket = covered(world)
    record_evidence(world.office, ticket.id, "liquid_inside", world.now, "technician:1", note="picture 2 of the visit")
    deny(world.office, ticket.id, "liquid", world.now, "dispatch:a")
    decision = appeal(world.office, ticket.id, "it never was wet", world.now)
    assert decision.due is not None
    world.step(decision.due + timedelta(minutes=1))
    assert world.ticket(ticket).responsible == "supervisor"


@given(
    until=st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    sold=st.none() | st.dates(date(2020, 1, 1), TODAY),
    component=st.none() | st.sampled_from(["compressor", "condenser_fan"]),
    org=st.sampled_from(["demo", "other"]),
    area=st.sampled_from(["north", "south"]),
    lang=st.sampled_from(["en", "zh"]),
)
def test_the_same_appliance_gets_the_same_answer_through_any_channel_region_or_tier(  # noqa: PLR0917  (drawn)
    until: date | None, sold: date | None, component: str | None, org: str, area: str, lang: str
) -> None:
    plain, other = World(), World()
    other.change_household(area=area, lang=lang)
    answers = []
    for world in (plain, other):
        world.appliance = replace(world.appliance, warranty_until=until, sold=sold)
        if world is other:
            world.appliance = replace(world.appliance, org=org, lang=lang)
        world.desk.people.appliances[1] = world.appliance
        ticket = world.opened()
        answers.append(verdict_on(world.office, ticket, world.now))
    assert answers[0] == answers[1]
    facts = Facts(on=TODAY, sold=sold, until=until, component=component)
    assert evaluate(facts).cover is not Cover.DENIED


def test_main_parts_and_goodwill() -> None:
    old = Facts(on=TODAY, sold=TODAY - timedelta(days=900), until=TODAY - timedelta(days=170))
    assert evaluate(replace(old, component="compressor")).rule == "main_part"
    assert evaluate(old).cover is Cover.EXPIRED
    shared = evaluate(replace(old, until=TODAY - timedelta(days=30)))
    assert (shared.cover, str(shared.share)) == (Cover.SHARED, "0.5")
    assert evaluate(Facts(on=TODAY)).cover is Cover.UNPROVEN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]]\nid='a'\nresult='denied'\nreason={zh='不',en='no'}", "without evidence"),
        ("[[rule]]\nid='a'\nresult='covered'\nreason={zh='行',en='yes'}\n" * 2, "twice"),
        ("[[rule]]\nid='a'\nresult='covered'\nevidence=['x']\nreason={zh='行',en='yes'}", "no words"),
        ("[[rule]]\nid='a'\nterm='in'\nresult='covered'\nreason={zh='行',en='yes'}", 'term = "over"'),
        ("[[rule]]\nid='a'\nresult='perhaps'\nreason={zh='行',en='yes'}", "perhaps"),
        ("[[rule", "rules.toml"),
    ],
)
def test_a_broken_table_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(DeskError, match=says):
        read_table(text, "rules.toml")
    assert table().rules
