from __future__ import annotations

from enum import StrEnum

import pytest

from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError
from servicedesk.states import (
    QUOTE,
    TICKET,
    VISIT,
    QuoteState,
    TicketState,
    VisitState,
    check_move,
)
from servicedesk.visiting import move_ticket
from tests.servicedesk.world import World


@pytest.mark.parametrize(("table", "states"), [(TICKET, TicketState), (VISIT, VisitState), (QUOTE, QuoteState)])
def test_each_table_speaks_of_every_state(table: dict[str, tuple[str, ...]], states: type[StrEnum]) -> None:
    assert set(table) == set(states)
    reached = {new for row in table.values() for new in row}
    first = next(iter(table))
    assert reached | {first} == set(states)
    assert all(len(set(row)) == len(row) and old not in row for old, row in table.items())


def test_an_illegal_move_names_the_legal_ones() -> None:
    with pytest.raises(IllegalMoveError, match="verified, reopened") as raised:
        check_move("ticket", TICKET, TicketState.DONE, TicketState.CLOSED)
    assert raised.value.legal == ("verified", "reopened")
    assert (raised.value.old, raised.value.new) == ("done", "closed")


def test_hold_and_cancelled_need_a_reason() -> None:
    world = World()
    ticket = world.opened()
    with pytest.raises(NeedsReasonError):
        move_ticket(world.office, ticket.id, TicketState.HOLD, world.now, "dispatch")


def test_nobody_verifies_or_closes_by_hand() -> None:
    world = World()
    ticket, _ = world.repaired()
    for state in (TicketState.VERIFIED, TicketState.CLOSED):
        with pytest.raises(IllegalMoveError) as raised:
            move_ticket(world.office, ticket.id, state, world.now, "dispatch")
        assert raised.value.legal == ("reopened",)


def test_errors_of_the_desk_share_a_root() -> None:
    assert issubclass(IllegalMoveError, DeskError)
