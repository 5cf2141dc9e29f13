"""The answer of an appliance's own test on the ticket's timeline, in both languages."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from api.i18n import Words
from api.pages.self_test_words import self_test_words
from telemetry.catalogue import load_catalogue

PAGE = load_catalogue()["freezer"]
USUAL = {name: spec.healthy for name, spec in PAGE.self_test.items()}
OFF: dict[str, Any] = {
    "status": "ok",
    "values": USUAL | {"heater_power_w": 0.0},
    "before": [["defrost_heater_open", 0.55], ["unknown", 0.45]],
    "causes": [["defrost_heater_open", 0.98], ["unknown", 0.02]],
}


EN = (
    "Self-test of the appliance: Defrost heater power 0 of 192\N{NO-BREAK SPACE}W; all else is as usual. "
    "Most likely now: {title}, 98% (before the test 55%)"
)
ZH = "电器自检结果：化霜加热功率0（正常192\N{NO-BREAK SPACE}W），其余正常。现在最可能：{title}，98%（自检前55%）"


@pytest.mark.parametrize(("lang", "said"), [("en", EN), ("zh", ZH)])
def test_what_is_off_and_what_it_did(lang: str, said: str) -> None:
    t = Words(lang, UTC)
    told = self_test_words(t, OFF, PAGE)
    assert told == said.format(title=t.pick(PAGE.faults["defrost_heater_open"].title))


def test_what_else_an_answer_can_be() -> None:
    t = Words("en", UTC)
    assert self_test_words(t, {"status": "ok", "values": USUAL}, PAGE).endswith("all 5 readings are as usual")
    assert self_test_words(t, {"status": "ok", "values": {"x_w": 3.0}}, PAGE).endswith("x_w 3")
    assert self_test_words(t, {"status": "ok", "values": USUAL}, None).count(",") == 4
    assert "did not answer" in self_test_words(t, {"status": "silent"}, PAGE)
    assert "no water" in self_test_words(t, {"status": "error", "error": "no water"}, PAGE)
