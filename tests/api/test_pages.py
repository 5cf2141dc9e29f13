"""Pages over a real database by real HTTP: the owner's way, staff's way, and what a GET never does."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

import api.stream
from storage.access import Role, create_owner_link, create_staff
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.api.case import DAY, NOW, WALL, Seeded, finish_case


def state_of(url: str, seeded: Seeded) -> tuple[str, str]:
    with connect(url, application="test") as conn:
        row = conn.execute(
            "select t.state, v.state from ticket t join visit v on v.ticket = t.id where t.id = %s"
            " order by v.proposed desc limit 1",
            (seeded.ticket,),
        ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def test_the_alert_says_it_all(http: httpx.Client, seeded: Seeded) -> None:
    page = http.get(seeded.alert)
    assert page.status_code == 200
    for words in (
        "turning too slowly since about 21 October",
        "Safe to use",
        "3–6 weeks",
        "Confirm this visit",
    ):
        assert words in page.text
    assert page.text.count('class="plate') - page.text.count('class="plate-') == 1
    assert page.text.count("btn-primary") == 1
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert "style=" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


def test_the_alert_in_chinese(http: httpx.Client, seeded: Seeded) -> None:
    page = http.get(seeded.alert, params={"lang": "zh"})
    assert '<html lang="zh-CN">' in page.text
    assert "确认这次上门" in page.text
    assert "3–6周" in page.text
    assert "Confirm" not in page.text


def test_a_get_never_confirms(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    before = state_of(database_url, seeded)
    for path in ("", "/visit", "/time", "/visit.ics", "/confirm", "/not-a-problem"):
        answer = http.get(seeded.alert + path, params={"visit": str(seeded.visit), "reason": "x"})
        assert answer.status_code in (200, 404, 405), path
    assert state_of(database_url, seeded) == before == ("open", "proposed")


def test_the_owner_confirms(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    form = re.search(r'action="([^"]+/confirm[^"]*)"', http.get(seeded.alert).text)
    assert form is not None
    answer = http.post(form[1], data={"visit": str(seeded.visit)})
    assert answer.status_code == 303
    assert state_of(database_url, seeded) == ("planned", "confirmed")
    page = http.get(answer.headers["location"])
    assert "Visit confirmed" in page.text
    assert "How do we get in?" in page.text
    assert "Code at the door" in http.get(f"{seeded.alert}/visit").text
    assert http.post(form[1], data={"visit": str(seeded.visit)}).status_code == 303
    assert "See your visit" in http.get(seeded.alert).text


def test_the_owner_takes_another_time(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    page = http.get(f"{seeded.alert}/time", params={"lang": "zh"})
    starts = re.findall(r'name="start" value="([^"]+)"', page.text)
    assert len(starts) > 10
    answer = http.post(f"{seeded.alert}/time", params={"lang": "zh"}, data={"start": starts[1]})
    assert "lang=zh" in answer.headers["location"]
    assert state_of(database_url, seeded) == ("planned", "confirmed")
    gone = http.post(f"{seeded.alert}/time", data={"start": "2026-11-20T03:17:00+00:00"})
    assert "gone=window" in gone.headers["location"]
    assert "That window has just gone" in http.get(gone.headers["location"]).text


def test_not_a_problem_ends_the_ticket_with_the_owners_words(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    answer = http.post(f"{seeded.alert}/not-a-problem", data={"reason": "we moved it"})
    assert state_of(database_url, seeded) == ("false_alarm", "cancelled")
    page = http.get(answer.headers["location"])
    assert "nothing was broken" in page.text
    assert "Confirm this visit" not in page.text
    again = http.post(f"{seeded.alert}/not-a-problem", data={"reason": "again"})
    assert "gone=move" in again.headers["location"]


def test_a_form_of_another_site_is_refused(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = http.post(f"{seeded.alert}/confirm", data={"visit": str(seeded.visit)}, headers=headers)
        assert answer.status_code == 403
    assert state_of(database_url, seeded) == ("open", "proposed")


def test_the_calendar_file(http: httpx.Client, seeded: Seeded) -> None:
    answer = http.get(f"{seeded.alert}/visit.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in answer.text
    assert "DTSTART" in answer.text


def test_a_settled_case_shows_its_proof(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        finish_case(conn, seeded)
    page = http.get(seeded.alert)
    assert "The repair worked" in page.text
    assert "c-repair-tick" in page.text
    assert "c-proof" in page.text
    assert "btn-primary" not in page.text


def test_an_expired_link_says_so_and_an_unknown_one_is_missing(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    with connect(database_url, application="test") as conn:
        old = create_owner_link(conn, now=NOW - 9 * DAY, ticket=seeded.ticket, expires=NOW - timedelta(seconds=1))
    gone = http.get(f"/o/{old}")
    assert gone.status_code == 410
    assert "no longer in use" in gone.text
    assert http.get("/o/nothing-like-a-token").status_code == 404
    assert http.get(f"/o/{seeded.tokens['admin']}").status_code == 404


def test_a_household_without_a_case_has_nothing_to_do(http: httpx.Client, seeded: Seeded) -> None:
    http.post(f"{seeded.alert}/not-a-problem", data={"reason": "no"})
    link = f"/o/{seeded.tokens['owner']}"
    assert http.get(link).headers["location"] == f"{link}/home"
    assert "Nothing to do" in http.get(f"{link}/home").text


def test_the_opened_link_shows_that_the_notice_arrived(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    http.get(seeded.alert)
    with connect(database_url, application="test") as conn:
        states = [row[0] for row in conn.execute("select state from notice where ticket = %s", (seeded.ticket,))]
    assert states == ["opened"]


def log_in(http: httpx.Client, seeded: Seeded) -> None:
    answer = http.post("/login", data={"login": "ana", "password": seeded.staff, "to": "/dispatch"})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize("path", ["/dispatch", "/tickets/WK-1001", "/mailbox"])
def test_staff_pages_need_a_login(http: httpx.Client, seeded: Seeded, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?to=")
    http.headers["cookie"] = f"wk_session={seeded.tokens['admin']}"
    assert http.get(path).status_code == 303


def test_a_wrong_password_opens_nothing(http: httpx.Client, seeded: Seeded) -> None:
    assert seeded
    for _ in range(5):
        assert http.post("/login", data={"login": "ana", "password": "wrong"}).status_code == 403
    assert http.post("/login", data={"login": "ana", "password": seeded.staff}).status_code == 429
    assert http.post("/login", data={"login": "nobody", "password": "x"}).status_code == 403


def test_a_login_never_leads_away(http: httpx.Client, seeded: Seeded) -> None:
    answer = http.post("/login", data={"login": "ana", "password": seeded.staff, "to": "//elsewhere.example"})
    assert answer.headers["location"] == "/dispatch"


def test_dispatch_ticket_and_mailbox(http: httpx.Client, seeded: Seeded) -> None:
    log_in(http, seeded)
    board = http.get("/dispatch")
    assert seeded.ref in board.text
    assert "A small fan is wearing out" in board.text
    assert "Nothing to plan" in http.get("/dispatch", params={"severity": "1"}).text
    ticket = http.get(f"/tickets/{seeded.ref}", params={"lang": "zh"})
    assert "散热小风扇磨损" in ticket.text
    assert 'aria-current="step"' in ticket.text
    assert "style=" not in ticket.text
    mail = http.get("/mailbox")
    assert "Open the owner" in mail.text or "打开用户页面" in mail.text
    assert http.get("/tickets/WK-9").status_code == 404


def test_a_staff_move_needs_our_form_and_a_reason(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    log_in(http, seeded)
    page = http.get(f"/tickets/{seeded.ref}")
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert csrf is not None
    path = f"/tickets/{seeded.ref}/moves"
    assert http.post(path, data={"to": "hold", "reason": "x"}).status_code == 403
    bare = http.post(path, data={"to": "hold", "csrf": csrf[1]})
    assert bare.status_code == 409
    assert "This asks for a reason." in bare.text
    assert state_of(database_url, seeded)[0] == "open"
    stale = http.post(path, data={"to": "hold", "reason": "x", "csrf": csrf[1], "version": "77"})
    assert stale.status_code == 409
    assert "This ticket changed while you were writing." in stale.text
    assert 'name="reason" maxlength="500" autocomplete="off" value="x"' in stale.text
    http.post(path, data={"to": "hold", "reason": "waiting for the landlord", "csrf": csrf[1]})
    assert state_of(database_url, seeded)[0] == "hold"
    assert "waiting for the landlord" in http.get(f"/tickets/{seeded.ref}").text


def test_a_reader_looks_but_does_not_move(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        password = create_staff(conn, "bo", now=to_datetime(WALL), role=Role.READ_ONLY)
    http.post("/login", data={"login": "bo", "password": password})
    page = http.get(f"/tickets/{seeded.ref}")
    assert "Your role may look, not move." in page.text
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert csrf is not None
    moved = http.post(f"/tickets/{seeded.ref}/moves", data={"to": "hold", "reason": "x", "csrf": csrf[1]})
    assert moved.status_code == 403


def test_live_updates_need_a_session_and_end_with_it(
    http: httpx.Client, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.stream, "HEARTBEAT_S", 0.1)
    refused = http.get("/dispatch/events")
    assert (refused.status_code, refused.headers["location"].partition("?")[0]) == (303, "/login")
    http.post("/login", data={"login": "ana", "password": seeded.staff})
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', http.get("/dispatch").text)
    assert csrf is not None
    with http.stream("GET", "/dispatch/events", headers={"Last-Event-ID": "0"}) as stream:
        lines = stream.iter_lines()
        while next(lines) != "event: ticket":
            pass
        assert http.post("/logout", data={"csrf": csrf[1]}).status_code == 303
        list(lines)  # the server ends it
