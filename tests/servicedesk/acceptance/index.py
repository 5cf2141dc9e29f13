"""What the service must do, row by row, and the tests that bear each row's name.

`python -m tests.servicedesk.acceptance.index` writes `docs/service-acceptance.md`; `test_index.py` holds it true.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "service-acceptance.md"
_HERE = "tests/servicedesk/acceptance"
_DESK = "tests/servicedesk"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that must hold.

    Attributes:
        name: of the row.
        says: what the product shows.
        word: that a test of it bears: in its name, its own first line, or the first line of its file.
        files: with tests of it; `file::test` for a single one.
    """

    name: str
    says: str
    word: str
    files: tuple[str, ...]


def _row(name: str, says: str, *files: str, word: str = "") -> Row:
    return Row(
        name, says, (word or name).lower(), tuple(f if f.startswith("tests/") else f"{_HERE}/{f}" for f in files)
    )


CASES = (
    _row(
        "The lost quote",
        "a second channel, then a person, then a supervisor; nothing is cancelled silently",
        "test_the_lost_quote.py",
    ),
    _row(
        "The broken promise",
        "a breach is predicted, told, made good; downtime is counted",
        "test_the_broken_promise.py",
    ),
    _row(
        "Five minutes",
        "a call task in five minutes; the first human contact is measured",
        "test_five_minutes.py",
        "tests/api/test_contact.py::test_five_minutes_a_complaint_is_a_call_and_is_measured",
    ),
    _row(
        "Serial number",
        "case, next step, window, prices, parts, warranty by serial number and token; nothing without",
        "tests/api/test_v1.py::test_serial_number_shows_the_case_to_whoever_may_see_it_and_nothing_to_others",
    ),
    _row(
        "Service levels",
        "business hours, pauses with reasons, priorities, holidays; an automatic reply is no response",
        "test_service_levels.py",
        "tests/api/test_contact.py::test_service_levels_a_page_a_call_and_a_mail_reach_one_ticket",
    ),
    _row(
        "Cosmetic damage, warranty void",
        "a rule table with reasons; a denial needs rule and evidence; appeal; one answer for one appliance",
        "test_warranty_void.py",
        "tests/api/test_v1.py::test_a_charge_above_the_agreed_sum_and_a_denial_without_evidence_are_refused",
    ),
    _row(
        "Hidden and excessive fees",
        "the band before booking, every line, never above what was agreed, by whichever way",
        "test_fees.py",
        "test_ways.py::test_hidden_and_excessive_fees_by_another_way_too_nothing_above_what_was_agreed_is_charged",
        "test_ways.py::test_hidden_and_excessive_fees_by_another_way_the_quote_is_the_most",
        "test_ways.py::test_hidden_and_excessive_fees_by_another_way_what_is_not_mended_costs_nothing",
    ),
    _row(
        "Told again and again",
        "one timeline for everybody, fed from every channel; nobody asks twice",
        "test_told_again_and_again.py",
    ),
    _row("VIP", "a tier orders work inside one severity only; safety first, in calls, plans and parts", "test_vip.py"),
    _row("Stale contact", "contacts are roles; a bounce reassigns at once", "test_stale_contact.py"),
    _row(
        "Learning",
        "asked once after the verified repair, with consent; two or less reopens and calls",
        "test_learning.py",
    ),
)
RULES = (
    _row(
        "One responsible person",
        "every ticket has one, and a next action with a due time; hand-offs stand on the timeline",
        f"{_DESK}/test_case_life.py::CaseLife.someone_is_responsible",
        "test_rules.py::test_one_responsible_person_and_a_next_action_and_each_hand_off_on_the_timeline",
    ),
    _row(
        "On-call roster",
        "an unacknowledged ticket of severity 1 or 2 goes up, a step every ten minutes",
        "test_alerts.py::test_an_unacknowledged_case_goes_up_the_roster",
        "test_alerts.py::test_who_acknowledges_stops_it",
        "test_alerts.py::test_a_mild_case_wakes_nobody",
        word="roster",
    ),
    _row(
        "One notice an episode and stage",
        "never one per message; a storm is impossible by construction",
        "test_alerts.py::test_one_notice_an_episode_and_stage_however_often_it_is_asked_for",
    ),
    _row(
        "Silences",
        "maintenance, a snooze with an end, a mute with a log; never for safety",
        "test_alerts.py::test_a_silence_with_an_end_keeps_messages_until_then",
        "test_alerts.py::test_a_mute_logs_what_it_kept_back_and_never_keeps_back_safety",
        "test_alerts.py::test_a_silence_of_one_household_is_not_anothers",
        word="silence",
    ),
    _row(
        "Quiet hours",
        "hold every rung, except for safety",
        "test_alerts.py::test_quiet_hours_hold_the_next_rung_too_but_not_for_safety",
    ),
    _row(
        "Every channel down for an hour",
        "the ladder runs, one Message-ID a notice, dispatch is warned",
        "test_alerts.py::test_every_channel_down_for_an_hour",
        "test_alerts.py::test_a_long_outage_goes_on_from_channel_to_channel_beside_the_call",
    ),
    _row(
        "Self-fix first",
        "a guide, kept on the ticket; recovery withdraws the visit with one tap; avoided visits are counted",
        "test_self_fix.py",
    ),
    _row(
        "Remote help",
        "the device's self-test, guided steps, photos, before a truck",
        f"{_DESK}/test_self_tests.py",
        "tests/api/test_care.py::test_a_photo_is_what_its_content_says_without_what_the_camera_wrote",
        "test_rules.py::test_remote_help_before_a_truck_stands_on_the_ticket",
    ),
    _row(
        "Never before the part",
        "van, depot, reservation, order with arrival; the visit is never before the part",
        "test_planning_visits.py::test_the_visit_is_never_before_the_part",
        "test_planning_visits.py::test_a_part_that_nobody_has_is_the_blocking_constraint",
        "test_planning_visits.py::test_a_piece_in_a_van_brings_its_technician",
    ),
    _row(
        "Technicians",
        "skills with expiry, absence, shifts, workdays, area",
        "test_planning_visits.py::test_skills_with_expiry",
        "test_planning_visits.py::test_who_is_absent_is_not_planned",
        "test_planning_visits.py::test_visits_take_place_on_the_days_of_the_calendar",
        word="skills with expiry",
    ),
    _row("Partners", "a scorecard; below the bar nothing is automatic", "test_partner_scorecards.py"),
    _row(
        "Other ways",
        "where no technician reaches, the alternatives with their dates",
        "test_ways.py",
        word="alternatives with their dates",
    ),
    _row(
        "Consent per purpose",
        "revoking stops new tickets within one cycle; reports count only who agrees",
        "test_privacy.py",
        "test_five_minutes.py::test_consent_per_purpose_who_does_not_agree_to_analytics_is_not_measured",
    ),
    _row("Export and erase", "a copy of everything, and being forgotten", "test_privacy.py"),
    _row(
        "Each read is logged",
        "append-only, chained; each look of staff at personal data",
        "test_privacy.py",
        "tests/api/test_care.py::test_each_read_of_personal_data_by_staff_is_logged_and_an_owners_own_is_not",
        word="each read logged",
    ),
    _row(
        "Reports",
        "first-time fix, repeat, no fault found, on time, breaches, fairness, causes",
        f"{_DESK}/test_service_report.py",
        "tests/worker_desk/test_report.py",
        word="report",
    ),
)
OTHERS = (
    _row(
        "Two alarms for one fault",
        "two messages milliseconds apart open one ticket",
        "test_other_systems.py::test_two_alarms_for_one_fault_when_two_messages_arrive_milliseconds_apart",
        "tests/worker_desk/test_jobs.py::test_two_racing_blocks_open_one_ticket",
    ),
    _row(
        "A mail every four seconds",
        "one notice while a condition stays",
        "test_other_systems.py::test_a_mail_every_four_seconds_while_a_condition_stays",
    ),
    _row(
        "A cleared alarm reused",
        "history stays whole",
        "test_other_systems.py::test_a_cleared_alarm_reused_so_that_history_is_lost",
    ),
    _row(
        "Alarms fired by a data gap",
        "a gap is unknown, never a fault",
        "test_other_systems.py::test_alarms_fired_by_a_data_gap",
    ),
    _row(
        "A six-hour offline burst",
        "stamped with its own time, never with now",
        "test_other_systems.py::test_a_six_hour_offline_burst_stamped_now",
        word="six hour offline burst",
    ),
    _row(
        "Unavailable alerted as a leak",
        "no numbers are no fault",
        "test_other_systems.py::test_unavailable_alerted_as_a_leak",
    ),
    _row(
        "A fault present at start-up",
        "found beside the others of its kind",
        "test_other_systems.py::test_a_fault_present_at_start_up_never_alerted",
        word="a fault present at start up",
    ),
    _row("Thousands of reconnects", "nothing new is said", "test_other_systems.py::test_thousands_of_reconnects"),
    _row(
        "Waiting for parts counted as overdue",
        "the clock stands, with its reason",
        "test_service_levels.py::test_waiting_for_parts_is_not_overdue_and_a_hold_has_its_reason",
        word="waiting for parts",
    ),
    _row(
        "Clocks wrong after a priority change",
        "what was consumed stays consumed",
        "test_service_levels.py::test_right_after_a_priority_change",
        word="after a priority change",
    ),
    _row(
        "No page without login",
        "the link alone follows and approves",
        "test_other_systems.py::test_no_page_without_login_to_follow_or_approve",
        "tests/api/test_quote_page.py::test_the_owner_approves",
    ),
    _row(
        "The part not on the van",
        "the day names what goes in, and a piece in a van brings its technician",
        "test_planning_visits.py::test_a_piece_in_a_van_brings_its_technician",
        "tests/api/test_day.py::test_the_day_says_where_to_go_and_how_to_get_in",
        word="in a van",
    ),
    _row(
        "Request context lost when it becomes a job",
        "what the owner said goes with the case",
        "test_other_systems.py::test_request_context_lost_when_it_becomes_a_job",
    ),
    _row(
        "Simulators that cannot fake a freezer with a problem",
        "a fault is put into any appliance",
        "test_other_systems.py::test_simulators_that_cannot_fake_a_freezer_with_a_problem",
    ),
)
PARTS = {"The cases": CASES, "The service's rules": RULES, "What goes wrong in other systems": OTHERS}


@dataclass(frozen=True, slots=True)
class Found:
    """A test: where it stands, and the words that it bears."""

    path: str
    name: str
    words: str


def proofs_of(row: Row) -> list[Found]:
    """The tests of a row, in order.

    Raises:
        LookupError: a file or test that it names is not there.
    """
    found: list[Found] = []
    for each in row.files:
        path, _, name = each.partition("::")
        there = [test for test in _proofs_in(path) if name in ("", test.name)]
        if not there:
            raise LookupError(f"{row.name}: there is no {each}")
        found += there
    return found


def bears(row: Row, test: Found) -> bool:
    """Whether a test bears the row's name."""
    return row.word in test.words


def page() -> str:
    """The page as it should be."""
    lines = [
        "# What the service must do, and the tests that show it",
        "",
        "Each row is held by tests that bear its name, on the desk in memory and on PostgreSQL where there are both.",
        "Written by `python -m tests.servicedesk.acceptance.index`; a row whose test is gone fails.",
    ]
    for title, rows in PARTS.items():
        lines += ["", f"## {title}", "", "| row | what the product shows | tests |", "|---|---|---|"]
        lines += [f"| {row.name} | {row.says} | {_links(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _links(row: Row) -> str:
    """Files, and of those of which single tests are named, these: so that a file may grow."""
    files: dict[str, list[str]] = {}
    for each in row.files:
        path, _, name = each.partition("::")
        files.setdefault(path.removeprefix("tests/"), []).extend([_plain(name)] if name else [])
    return "<br>".join(f"`{path}`{': ' if names else ''}{', '.join(names)}" for path, names in files.items())


def _plain(name: str) -> str:
    return name.rpartition(".")[2].removeprefix("test_").replace("_", " ")


@cache
def _proofs_in(path: str) -> tuple[Found, ...]:
    file = ROOT / path
    if not file.is_file():
        raise LookupError(f"there is no {path}")
    module = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(_found(path, _first(module), module.body))


def _found(path: str, about: str, body: list[ast.stmt], inside: str = "") -> Iterator[Found]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _found(path, about, node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (node.name.startswith("test_") or _invariant(node)):
            words = f"{node.name.replace('_', ' ')} {_first(node)} {about}".lower()
            yield Found(path, f"{inside}{node.name}", words)


def _invariant(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(each, ast.Call) and getattr(each.func, "id", "") == "invariant" for each in node.decorator_list
    )


def _first(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
