"""The index of what the service must do: no row is without a test that bears its name."""

from __future__ import annotations

import pytest

from tests.servicedesk.acceptance.index import PAGE, PARTS, ROOT, Row, bears, page, proofs_of

ROWS = [row for rows in PARTS.values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda each: each.name)
def test_every_row_has_a_test_that_bears_its_name(row: Row) -> None:
    assert any(bears(row, each) for each in proofs_of(row)), row.files


def test_every_acceptance_test_belongs_to_a_row() -> None:
    """So that nobody takes a row away with its tests left behind."""
    known = {each.path for row in ROWS for each in proofs_of(row)}
    here = {str(each.relative_to(ROOT)) for each in (ROOT / "tests/servicedesk/acceptance").glob("test_*.py")}
    assert here - known == {"tests/servicedesk/acceptance/test_index.py"}


def test_the_page_is_written_from_the_index() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it: python -m tests.servicedesk.acceptance.index"


def test_a_row_without_its_test_fails() -> None:
    gone = Row("Gone", "", "gone", ("tests/servicedesk/acceptance/test_fees.py::test_gone",))
    with pytest.raises(LookupError, match="there is no"):
        proofs_of(gone)
    nameless = Row("Gone", "", "gone", ("tests/servicedesk/acceptance/test_fees.py",))
    assert not any(bears(nameless, each) for each in proofs_of(nameless))
