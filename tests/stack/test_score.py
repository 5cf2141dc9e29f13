from __future__ import annotations

from stack.score import DAY_S, OpenedTicket, Score, TrueFault, score

FRIDGE = "demo/fridge-1"


def run(faults: list[TrueFault], tickets: list[OpenedTicket], days: float = 30.0) -> Score:
    return score(faults, tickets, started=0.0, ended=days * DAY_S)


def test_a_ticket_after_onset_catches_its_fault_with_lead_and_delay() -> None:
    fault = TrueFault(FRIDGE, "condenser_airflow", 2 * DAY_S, stops=40 * DAY_S)
    got = run([fault], [OpenedTicket("WK-1", FRIDGE, "condenser_airflow", 6 * DAY_S)])
    assert (got.faults, got.caught, got.false_tickets) == (1, 1, 0)
    assert (got.lead_days, got.delay_days) == (34.0, 4.0)


def test_another_family_another_device_or_too_early_is_false() -> None:
    fault = TrueFault(FRIDGE, "condenser_airflow", 2 * DAY_S)
    tickets = [
        OpenedTicket("WK-1", FRIDGE, "refrigerant", 6 * DAY_S),
        OpenedTicket("WK-2", "demo/fridge-2", "condenser_airflow", 6 * DAY_S),
        OpenedTicket("WK-3", FRIDGE, "condenser_airflow", 1 * DAY_S),
    ]
    got = run([fault], tickets)
    assert got.caught == 0
    assert got.false_refs == ("WK-1", "WK-2", "WK-3")


def test_a_fault_of_the_last_five_days_is_not_judged_but_its_ticket_is_not_false() -> None:
    fault = TrueFault(FRIDGE, "condenser_airflow", 27 * DAY_S)
    got = run([fault], [OpenedTicket("WK-1", FRIDGE, "condenser_airflow", 28 * DAY_S)])
    assert (got.faults, got.caught, got.false_tickets) == (0, 0, 0)


def test_wear_from_before_the_run_has_no_delay() -> None:
    fault = TrueFault(FRIDGE, "condenser_airflow", -10 * DAY_S)
    got = run([fault], [OpenedTicket("WK-1", FRIDGE, "condenser_airflow", 1 * DAY_S)])
    assert got.caught == 1
    assert got.delay_days is None
