"""`wellkept household` on a real database: a link is printed once, works as the household's, and ends."""

from __future__ import annotations

import json
import uuid
from typing import Any

from typer.testing import CliRunner

from stack.cli import app
from storage.access import find_token
from storage.pool import connect
from tests.worker_desk.shop import Shop


def ask(shop: Shop, *arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["household", *arguments], env={"WELLKEPT_DATABASE_URL": shop.url})
    return told.exit_code, told.stdout or str(told.exception)


def said(shop: Shop, *arguments: str) -> Any:  # noqa: ANN401  (the JSON of a command)
    code, text = ask(shop, *arguments, "--json")
    assert code == 0, text
    return json.loads(text)


def test_a_link_is_made_listed_and_ended(shop: Shop) -> None:
    home = str(shop.household)
    (row,) = [each for each in said(shop, "list") if each["id"] == home]
    assert row["appliances"] == 1
    link = said(shop, "link", home)["link"]
    with connect(shop.url, application="test") as conn:
        token = find_token(conn, link.rpartition("/o/")[2])
        assert token is not None
        assert (token.household, token.ticket, token.revoked) == (shop.household, None, None)
        logged = conn.execute("select content from audit_log order by seq desc limit 1").fetchone()
        assert logged is not None
        assert "household link" in str(logged[0])
    assert said(shop, "unlink", home)["ended"] >= 1
    assert said(shop, "unlink", home)["ended"] == 0


def test_an_id_that_is_none_is_said(shop: Shop) -> None:
    for wrong in ("Lin", str(uuid.uuid4())):
        code, text = ask(shop, "link", wrong)
        assert code == 1
        assert "household list" in text
