"""`wellkept part` and `wellkept way` on a real database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from stack.cli import app
from tests.worker_desk.shop import Shop


def said(shop: Shop, *arguments: str) -> Any:  # noqa: ANN401  (the JSON of a command)
    told = CliRunner().invoke(app, [*arguments, "--json"], env={"WELLKEPT_DATABASE_URL": shop.url})
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def test_a_part_is_set_and_what_is_not_named_stays(shop: Shop) -> None:
    before = next(row for row in said(shop, "part", "list") if row["sku"] == "RF-FAN-120")
    assert before["price"] is None
    said(shop, "part", "set", "RF-FAN-120", "--price", "95.50", "--least", "5")
    after = said(shop, "part", "set", "RF-FAN-120", "--on-hand", "7")
    assert (after["price"], after["least"], after["on_hand"]) == ("95.50", 5, 7)


def test_a_way_is_entered_and_listed(shop: Shop) -> None:
    made = said(shop, "way", "add", "North Gate", "service_point", "--kind", "refrigerator", "--work-days", "3")
    assert said(shop, "way", "list") == [made]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["NONE-1"], "no part of the catalogue"), (["RF-FAN-120", "--price", "dear"], "is not a sum")],
)
def test_a_wrong_part_or_sum_is_said(arguments: list[str], says: str) -> None:
    told = CliRunner().invoke(app, ["part", "set", *arguments], env={"COLUMNS": "200"})
    assert told.exit_code == 2
    assert says in told.output
