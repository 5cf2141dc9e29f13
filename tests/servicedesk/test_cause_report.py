"""The Pareto of causes by what appliances have in common, reckoned by hand and against the textbook."""

from __future__ import annotations

import math

import pytest

from servicedesk.cause_report import CauseLine, Confirmed, InService, Traits, cause_lines, chance_of

YEAR = 365.25


def traits(lot: str = "A", firmware: str = "2.4.1", model: str = "lx260", kind: str = "refrigerator") -> Traits:
    return Traits(kind=kind, model=model, firmware=firmware, lot=lot)


def cases(n: int, cause: str = "condenser_fan_wear", **own: str) -> list[Confirmed]:
    return [Confirmed(traits(**own), cause)] * n


def only(lines: list[CauseLine], group: str, cause: str = "condenser_fan_wear") -> CauseLine:
    (found,) = [line for line in lines if (line.group, line.cause) == (group, cause)]
    return found


def test_counts_shares_and_rates_are_of_the_group() -> None:
    found = cause_lines(
        [*cases(6, lot="B"), *cases(3), *cases(1, "door_seal_leak")],
        [InService(traits(lot="B"), 10 * YEAR), InService(traits(), 30 * YEAR)],
        "lot",
    )
    assert [(line.group, line.cause, line.count) for line in found] == [
        ("B", "condenser_fan_wear", 6),
        ("A", "condenser_fan_wear", 3),
        ("A", "door_seal_leak", 1),
    ]
    assert [line.share for line in found] == pytest.approx([0.6, 0.3, 0.1])
    assert [line.cumulated for line in found] == pytest.approx([0.6, 0.9, 1.0])
    assert only(found, "B").rate == pytest.approx(0.6)
    assert only(found, "B").rest_rate == pytest.approx(0.1)
    assert only(found, "B").times == pytest.approx(6.0)
    assert only(found, "A", "door_seal_leak").rest_rate == 0
    assert only(found, "A", "door_seal_leak").times is None


def test_a_lot_with_more_than_its_share_stands_out_and_the_rest_does_not() -> None:
    service = [InService(traits(lot="B"), 10 * YEAR), InService(traits(), 30 * YEAR)]
    found = cause_lines([*cases(9, lot="B"), *cases(3)], service, "lot")
    # P(X >= 9) of 12 cases with a quarter of the years.
    exact = math.fsum(math.comb(12, n) * 0.25**n * 0.75 ** (12 - n) for n in range(9, 13))
    assert only(found, "B").chance == pytest.approx(exact)
    assert only(found, "B").stands_out
    assert not only(found, "A").stands_out
    # As many cases, spread as the years are: nothing.
    alike = cause_lines([*cases(3, lot="B"), *cases(9)], service, "lot")
    assert not any(line.stands_out for line in alike)


def test_two_cases_never_stand_out_however_short_the_service() -> None:
    service = [InService(traits(firmware="3"), 0.001 * YEAR), InService(traits(), 1000 * YEAR)]
    found = only(cause_lines(cases(2, firmware="3"), service, "firmware"), "3")
    assert found.chance is not None
    assert found.chance < 1e-9
    assert not found.stands_out


def test_other_kinds_are_no_rest() -> None:
    service = [InService(traits(), 5 * YEAR), InService(traits(kind="freezer"), 500 * YEAR)]
    (line,) = cause_lines(cases(5), service, "lot")
    assert (line.rest_rate, line.chance, line.stands_out) == (None, None, False)


def test_what_is_not_known_is_told_and_not_judged() -> None:
    service = [InService(traits(lot=""), YEAR), InService(traits(), 99 * YEAR)]
    (line,) = cause_lines(cases(8, lot=""), service, "lot")
    assert (line.group, line.chance, line.stands_out) == ("", None, False)
    assert line.rate == pytest.approx(8.0)


def test_a_case_without_service_has_no_rate() -> None:
    (line,) = cause_lines(cases(1), [], "model")
    assert (line.rate, line.interval, line.chance) == (None, None, None)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_intervals_are_those_of_the_table(count: int, low: float, high: float) -> None:
    # Pearson and Hartley, Biometrika Tables for Statisticians I, table 40.
    (line,) = cause_lines(cases(count), [InService(traits(), 4 * YEAR)], "model")
    assert line.interval == pytest.approx((low / 4, high / 4), abs=1e-3)


def test_many_cases_do_not_overflow() -> None:
    assert chance_of(1500, 10.0, 1500, 10.0) == pytest.approx(0.507, abs=0.01)
    assert chance_of(0, 1.0, 7, 9.0) == pytest.approx(1.0)
    assert chance_of(3, 1.0, 0, 0.0) is None
