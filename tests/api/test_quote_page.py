"""The owner's page of a quote: every line, one button, and nothing approved by looking."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from storage.pool import connect
from tests.api.case import Seeded
from tests.api.test_idempotency import bearer


def sent(http: httpx.Client, seeded: Seeded, url: str) -> str:
    """A quote outside warranty, put to the owner."""
    with connect(url, application="test") as conn:
        conn.execute("update device set warranty_until = %s", (datetime(2024, 1, 1, tzinfo=UTC).date(),))
    made = http.post(f"/v1/tickets/{seeded.ticket}/quotes", json={}, headers=bearer(seeded))
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def quote_state(url: str, quote: str) -> str:
    with connect(url, application="test") as conn:
        row = conn.execute("select state from quote where id = %s", (UUID(quote),)).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "What the repair costs",
                "CN¥250.00",
                "Call-out",
                "Work, about 45 minutes",
                "Part: Condenser fan",
                "Tax contained",
            ),
        ),
        ("zh", ("维修费用", "¥250.00", "上门费", "大约45分钟", "配件：冷凝器散热风扇", "其中含税")),
    ],
)
def test_the_page_shows_every_line_and_looking_approves_nothing(
    http: httpx.Client, seeded: Seeded, database_url: str, lang: str, words: tuple[str, ...]
) -> None:
    quote = sent(http, seeded, database_url)
    page = http.get(f"{seeded.alert}/quote", params={"lang": lang})
    for each in words:
        assert each in page.text, each
    assert page.text.count("btn-primary") == 1
    assert quote_state(database_url, quote) in {"sent", "delivered", "seen"}
    for path in ("/quote/approve", "/quote/decline"):
        assert http.get(seeded.alert + path, params={"quote": quote, "reason": "x"}).status_code in (404, 405)
    assert quote_state(database_url, quote) in {"sent", "delivered", "seen"}


def test_the_owner_approves(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    quote = sent(http, seeded, database_url)
    form = re.search(r'action="([^"]+/quote/approve[^"]*)"', http.get(f"{seeded.alert}/quote").text)
    assert form is not None
    answer = http.post(form[1], data={"quote": quote})
    assert answer.status_code == 303
    assert quote_state(database_url, quote) == "approved"
    told = http.get(answer.headers["location"]).text
    assert "Quote approved" in told
    assert "Approve this quote" not in told
    assert "See your quote" not in http.get(seeded.alert).text


def test_the_owner_declines_with_a_reason_and_another_cases_quote_is_none(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    quote = sent(http, seeded, database_url)
    assert http.post(f"{seeded.alert}/quote/decline", data={"quote": quote}).status_code == 422
    foreign = http.post(f"{seeded.alert}/quote/approve", data={"quote": str(UUID(int=5))})
    assert "gone=move" in foreign.headers["location"]
    answer = http.post(f"{seeded.alert}/quote/decline", data={"quote": quote, "reason": "too dear"})
    assert quote_state(database_url, quote) == "declined"
    assert "A person from service calls you" in http.get(answer.headers["location"]).text
