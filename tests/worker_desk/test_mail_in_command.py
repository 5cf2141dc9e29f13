"""`wellkept mail-in` and `wellkept levels` as a mail server and an operator run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stack.cli import app
from tests.servicedesk.world import finding
from tests.worker_desk.shop import Shop
from tests.worker_desk.test_jobs import states


def test_a_mail_that_is_piped_in_reaches_its_ticket_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", shop.url)
    ticket = shop.report(finding())
    assert ticket is not None
    mail = f"From: li@example.org\nSubject: Re: {ticket.ref}\nMessage-ID: <1@home>\n\nCome in the morning.\n"
    first = CliRunner().invoke(app, ["mail-in", "--json"], input=mail)
    assert json.loads(first.output) == {"kind": "reply", "ticket": ticket.ref, "repeated": False}
    again = CliRunner().invoke(app, ["mail-in", "--json"], input=mail)
    assert json.loads(again.output)["repeated"]
    words = "select body ->> 'words' from ticket_event where kind = 'message'"
    assert states(shop, words) == ["Come in the morning."]
    assert states(shop, "select count(*) from level_clock where policy = 'first_response'") == [1]


def test_levels_are_shown_and_a_wrong_table_is_refused(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["levels", "--zone", "Asia/Shanghai", "--json"])
    policies = {each["policy"]: each for each in json.loads(shown.output)["policies"]}
    assert policies["first_response"]["targets"] == {"1": "15m", "2": "15m", "3": "15m", "4": "15m"}
    assert policies["first_response"]["published"] >= 2026
    assert policies["plan"]["published"] is None
    wrong = tmp_path / "ours.toml"
    wrong.write_text("[calendar.always]\n")
    refused = CliRunner().invoke(app, ["levels", "--file", str(wrong)])
    assert refused.exit_code != 0
