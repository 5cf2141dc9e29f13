"""Commands that end tokens and links, and say who a person is elsewhere."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stack.cli import app
from storage.access import create_owner_link, find_staff_by_subject, find_token
from storage.pool import connect
from telemetry.errors import WellkeptError
from tests.api.case import NOW, Seeded

RUN = CliRunner()


def test_tokens_and_links_are_ended(database_url: str, seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)

    def run(*words: str) -> dict[str, object]:
        done = RUN.invoke(app, [*words, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found: dict[str, object] = json.loads(done.output)
        return found

    made = run("token", "new", "--role", "dispatcher", "--org", "demo", "--area", "North", "--area", "South")
    with connect(database_url, application="test") as conn:
        token = find_token(conn, str(made["token"]))
        create_owner_link(conn, now=NOW, ticket=seeded.ticket)
    assert token is not None
    assert token.areas == ["North", "South"]
    assert run("token", "revoke", str(token.id)) == {"revoked": str(token.id)}
    with pytest.raises(WellkeptError, match="no token"):
        run("token", "revoke", str(token.id))
    ended = run("token", "end-links", seeded.ref)
    assert int(str(ended["ended"])) >= 2
    assert run("token", "end-links", seeded.ref)["ended"] == 0
    with connect(database_url, application="test") as conn:
        link = find_token(conn, seeded.link)
        assert link is not None
        assert link.revoked is not None
    subject = "https://id.example.org#17"
    run("staff", "subject", "ana", subject)
    with connect(database_url, application="test") as conn:
        person = find_staff_by_subject(conn, subject)
        assert person is not None
        assert person.login == "ana"
    for words in (("nobody", "https://x#1"), ("ana", "17")):
        with pytest.raises(WellkeptError):
            run("staff", "subject", *words)
    run("staff", "subject", "ana", "-")
    with connect(database_url, application="test") as conn:
        assert find_staff_by_subject(conn, subject) is None
