"""Every message has words in both languages; dates, numbers and ranges are said as people say them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import api
from api.i18n import LANGUAGES, MissingWordsError, Words, accepted, catalogue
from api.pages.reasons import reason_words
from api.units import unit_of

_ROOT = Path(api.__file__).parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_BRACES = re.compile(r"{(\w+)}")
EN = Words("en", ZoneInfo("Asia/Shanghai"))
ZH = Words("zh", ZoneInfo("Asia/Shanghai"))


def messages() -> set[str]:
    found = extract_from_dir(str(_ROOT), _METHODS, keywords={"t": None, "plain": None, "said": None})
    return {str(message) for _, _, message, _, _ in (*found, *worded())}


def worded() -> Iterator[tuple[str, int, object, list[str], object]]:
    """What the desk's errors say of webhooks; a setting that is wrong is read by its operator, in the log."""
    errors: dict[str, tuple[int, ...] | None] = {"AddressError": None, "HookStateError": None, "HookError": (2,)}
    for each in extract_from_dir(str(_ROOT.parent / "servicedesk"), [("hook*.py", "python")], keywords=errors):
        if not str(each[2]).startswith("WELLKEPT_"):
            yield each


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_message_has_words(lang: str) -> None:
    used, known = messages(), catalogue(lang)
    assert len(used) > 250
    assert used - known.keys() == set()
    assert known.keys() - used == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_message_stands_in_one_file(lang: str) -> None:
    stands: dict[str, str] = {}
    for path in sorted((_ROOT / "locale" / lang / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=lang):
                if message.id:
                    assert str(message.id) not in stands, f"{message.id!r}: {path.name}, {stands[str(message.id)]}"
                    stands[str(message.id)] = path.name


def test_translations_keep_what_is_put_in() -> None:
    for message, chinese in catalogue("zh").items():
        assert set(_BRACES.findall(message)) == set(_BRACES.findall(chinese)), message


def test_english_is_what_stands_in_the_code() -> None:
    assert all(message == words for message, words in catalogue("en").items())


def test_a_missing_message_is_an_error() -> None:
    with pytest.raises(MissingWordsError):
        EN("No such words")


def test_what_is_put_in_is_escaped() -> None:
    assert "<script>" not in EN("{name} comes", name="<script>")


def test_days_and_times_are_the_households() -> None:
    late = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    assert EN.long_day(late) == "Wednesday 25 November"
    assert ZH.long_day(late) == "11月25日星期三"
    assert EN.time(late) == "01:30"
    assert EN.window(late, late + timedelta(hours=2)) == "01:30–03:30"
    assert ZH.year_day(date(2028, 3, 14)) == "2028年3月14日"


def test_remaining_life_is_a_range() -> None:
    assert EN.life(21 * 86_400 - 3_600, 42 * 86_400 - 3_600) == "3–6 weeks"
    assert ZH.life(3 * 86_400, 9 * 86_400) == "3–9天"
    assert EN.life(0, 5_000) == "0–1 days"


def test_likelihoods_are_tenths_for_owners() -> None:
    assert EN.tenths(0.71) == "about 7 in 10"
    assert ZH.tenths(0.71) == "约七成"
    assert EN.tenths(0.999) == "about 9 in 10"


def test_units_fit_the_size() -> None:
    assert unit_of("s", 1_350).en == "min"
    assert unit_of("s", 51_000).en == "h"
    assert unit_of("1", 0.4).scale == 100
    assert unit_of("Cel", 4.2).decimals == 1


@pytest.mark.parametrize(
    ("header", "lang"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de, en;q=0.5", "en"), ("fr", None), (None, None), ("x;q=a", None)],
)
def test_the_browsers_language(header: str | None, lang: str | None) -> None:
    assert accepted(header) == lang


def test_reasons_of_the_desk_are_said_in_words_and_a_persons_as_written() -> None:
    """Codes that the desk writes on a timeline; a new one that nobody put into words is found in the source."""
    written = re.compile(r'\blog\([^)]*why="([^"]+)"|\breopen\([^)]*, "([^"]+)"\)|\bSYSTEM, reason="([^"]+)"')
    sources = (_ROOT.parent / "servicedesk").glob("*.py")
    codes = {code for path in sources for found in written.findall(path.read_text("utf-8")) for code in found if code}
    assert {"repair_failed", "no contact in time", "no_answer"} <= codes
    for code in codes - {"no call in time: {task.reason}"}:
        assert not re.search("[a-z]", reason_words(ZH, {"why": code})), code
    assert reason_words(ZH, {"why": "plan: time_runs_out"}) == "承诺时限将至"
    assert reason_words(EN, {"reason": "merged into WK-1002"}) == "merged into WK-1002"
    assert reason_words(ZH, {"why": "no call in time: severity_1"}) == "没有及时致电"
    assert reason_words(ZH, {"reason": "rings twice"}) == "rings twice"
    assert reason_words(EN, {}) == ""
