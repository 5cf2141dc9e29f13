"""Guides: answers lead forward and end; pictures exist; a wrong guide names its file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

import api
from telemetry.catalogue import GuideAnswer, GuideStep, load_catalogue
from telemetry.catalogue import load as loading
from telemetry.catalogue.guide import guide_problems, leads
from telemetry.errors import CatalogueError

_PICTURES = Path(api.__file__).parent / "static" / "guides"


def test_every_guide_of_the_catalogue_ends_and_its_pictures_are_drawings() -> None:
    used = set()
    guides = [fault.self_fix for kind in load_catalogue().kinds.values() for fault in kind.faults.values()]
    for guide in guides:
        assert list(guide_problems(guide)) == []
        used |= {step.picture for step in guide if step.picture}
    assert used == {path.stem for path in _PICTURES.glob("*.svg")}
    for path in _PICTURES.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<svg")
        assert not any(word in text for word in ("<script", "onload", "href", "<image"))


def test_answers_lead_on() -> None:
    door = load_catalogue()["refrigerator"].faults["door_gasket_leak"].self_fix
    assert leads(door, 1, "done") == "2"
    assert leads(door, 2, "slips") == "3"
    assert leads(door, 2, "holds") == "visit"
    assert leads(door, len(door), "done") == "wait"
    with pytest.raises(KeyError):
        leads(door, 1, "perhaps")
    with pytest.raises(IndexError):
        leads(door, 9, "done")


def test_a_guide_only_goes_forward_and_may_help() -> None:
    back = (GuideStep("一", "one"), GuideStep("二", "two", answers={"again": GuideAnswer("再", "again", to=2)}))
    assert any("no later step" in each for each in guide_problems(back))
    never = (GuideStep("一", "one", answers={"no": GuideAnswer("不", "no", to="visit")}),)
    assert any("waiting for the readings" in each for each in guide_problems(never))


def test_a_wrong_guide_is_refused_with_its_place() -> None:
    path = Path(loading.__file__).with_name("refrigerator.yaml")
    text = path.read_text(encoding="utf-8")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "to: visit" in each)
    broken = text.replace("to: visit", "to: back", 1)
    assert broken.splitlines()[line - 1] != text.splitlines()[line - 1]
    with pytest.raises(CatalogueError, match=r"refrigerator\.yaml") as refused:
        loading.load_kind(broken, "refrigerator.yaml")
    assert "self_fix" in str(refused.value)
