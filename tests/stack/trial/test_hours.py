from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from servicedesk.level_policies import load_levels
from stack.trial.hours import PROMISE, ServiceHours
from telemetry.clock import MICROS, to_micros

MINUTE = 60 * MICROS
ZONES = {"t/a": "Asia/Shanghai", "t/b": "Europe/Berlin"}


def moment(words: str) -> int:
    return to_micros(datetime.fromisoformat(words))


@pytest.mark.parametrize(
    ("device", "said", "answered"),
    [
        ("t/a", "2026-03-04T10:00:00+08:00", "2026-03-04T10:10:00+08:00"),
        ("t/a", "2026-03-04T19:55:00+08:00", "2026-03-05T08:05:00+08:00"),
        ("t/b", "2026-03-04T10:00:00+08:00", "2026-03-04T08:10:00+01:00"),
        ("t/b", "2026-03-07T18:00:00+01:00", "2026-03-09T08:10:00+01:00"),
        ("t/a", "2026-10-01T10:00:00+08:00", "2026-10-08T08:10:00+08:00"),
        ("t/a", "2031-10-01T10:00:00+08:00", "2031-10-01T10:10:00+08:00"),
    ],
    ids=["at work", "in the evening", "elsewhere it is night", "over a Sunday", "a holiday", "past what is published"],
)
def test_dispatch_works_in_the_service_hours_of_each_home(device: str, said: str, answered: str) -> None:
    hours = ServiceHours(load_levels(), ZONES)
    assert hours(device, moment(said), 10 * MINUTE) == moment(answered)


def test_without_a_promise_somebody_is_always_there() -> None:
    levels = load_levels()
    none = replace(levels, policies={name: one for name, one in levels.policies.items() if name != PROMISE})
    hours = ServiceHours(none, ZONES)
    night = moment("2026-03-04T03:00:00+08:00")
    assert hours("t/a", night, MINUTE) == night + MINUTE
