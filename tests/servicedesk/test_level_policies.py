from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from servicedesk.level_policies import FILE, LevelsError, country_of, load_levels, span_of

_TEXT = FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "span"),
    [
        ("15m", timedelta(minutes=15)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("90s", timedelta(seconds=90)),
        ("48h", timedelta(hours=48)),
    ],
)
def test_spans(said: str, span: timedelta) -> None:
    assert span_of(said) == span


@pytest.mark.parametrize("said", ["", "15", "m", "15 m", "1x", "-5m", "5m!"])
def test_what_is_no_span_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="no span of time"):
        span_of(said)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'meets = ["human"]\ncalendar = "always"',
            'meets = ["shouted"]\ncalendar = "always"',
            "urgent_contact.*'shouted'",
        ),
        ('calendar = "always"\ntarget.1 = "5m"', 'calendar = "never"\ntarget.1 = "5m"', "urgent_contact.*'never'"),
        ('target.1 = "5m"', 'target.5 = "5m"', "urgent_contact.*severity 1 to 4"),
        ('target.1 = "5m"', 'target.1 = "soon"', "urgent_contact.*'soon'"),
        ('name = "plan"', 'name = "response"', "same name"),
        ("predict = 0.75", "predict = 1.5", "visit_24h.*predict"),
        ('pauses = ["owner", "parts", "hold"]', 'pauses = ["lunch"]', "'lunch'"),
        ('hours.mon = [["08:00", "20:00"]]', 'hours.mon = [["20:00", "08:00"]]', "calendar.service"),
        ('hours.mon = [["08:00", "20:00"]]', 'hours.mon = [["8 am", "20:00"]]', "'8 am'"),
        ('until = "sent"', 'until = "heard"', "ladder.stage.default.*'heard'"),
        ("[ladder.stage.default]", "[ladder.stage.usual]", "'default' is missing"),
        ('compensation = { amount = "50.00",', 'compensation = { amount = "much",', "visit_24h"),
        ("[calls]", "[calls", "Expected"),
    ],
)
def test_a_wrong_table_says_where_and_what(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in _TEXT
    path = tmp_path / "levels.toml"
    path.write_text(_TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LevelsError, match=f"(?s)levels.toml: .*{says}"):
        load_levels(path)


def test_a_missing_table_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(LevelsError, match=r"nowhere\.toml"):
        load_levels(tmp_path / "nowhere.toml")


def test_a_household_has_its_zone_and_country() -> None:
    service = load_levels().calendars["service"]
    here, there = service.of("Asia/Shanghai"), service.of("Europe/Berlin")
    assert (here.zone, here.country) == ("Asia/Shanghai", "CN")
    assert (there.zone, there.country) == ("Europe/Berlin", "DE")
    assert country_of("Etc/UTC") == country_of("UTC") == ""
