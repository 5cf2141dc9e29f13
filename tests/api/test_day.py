"""A technician's day over HTTP: plain forms, each done once, at the time when it was done; only one's own visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from servicedesk.model import Visit
from storage.access import Role, create_staff
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.api.case import WALL, Seeded, picture
from tests.api.road import log_in, on_the_day, wind

JSON = {"Accept": "application/json"}
Post = Callable[..., httpx.Response]


@pytest.fixture
def visit(database_url: str, seeded: Seeded) -> Visit:
    return on_the_day(database_url, seeded)


@pytest.fixture
def post(http: httpx.Client, seeded: Seeded, visit: Visit) -> Post:
    """Send a form of the visit as our script does."""
    csrf = log_in(http, seeded)

    def send(path: str, *, headers: dict[str, str] = JSON, files: Any = None, **fields: Any) -> httpx.Response:  # noqa: ANN401  (what httpx takes)
        address = f"/day/visits/{visit.id}/{path}"
        return http.post(address, data={"csrf": csrf, **fields}, headers=headers, files=files)

    return send


def rows(database_url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(database_url, application="test") as conn:
        return conn.execute(query).fetchall()


def test_the_day_says_where_to_go_and_how_to_get_in(
    http: httpx.Client, seeded: Seeded, visit: Visit, database_url: str
) -> None:
    log_in(http, seeded)
    page = http.get("/day?lang=en")
    for words in ("08:00–10:00", "12 Elm Road", "Lin", "Into the van", "Condenser fan", "Set out", "min to drive"):
        assert words in page.text, words
    assert page.text.count('class="btn btn-primary"') >= 1
    assert page.headers["permissions-policy"] == "camera=(self), geolocation=(self), microphone=()"
    assert "worker-src 'self'" in page.headers["content-security-policy"]
    one = http.get(f"/day/visits/{visit.id}?lang=en").text
    for words in ("code 4711", "a shy cat", "tel:+862155501234", "968", "1,250", "Pull the plug"):
        assert words in one, words
    assert "code 4711" not in page.text, "the list holds no way into a home"
    wind(database_url, visit.start - timedelta(days=1))
    assert "code 4711" not in http.get(f"/day/visits/{visit.id}").text, "not before the day"
    assert http.get(f"/day/{visit.start.date()}").text.count(f"/day/visits/{visit.id}") > 0
    assert http.get("/day/9999-12-31").status_code == 404
    assert "wellkept" not in http.get("/day-sw.js").text.split("\n", 1)[0]
    assert http.get("/day.webmanifest").json()["scope"] == "/day"
    looked = rows(database_url, "select content::jsonb ->> 'actor' from audit_log")
    assert ("staff:wei",) in looked


def test_only_a_technicians_own_visits_are_there(
    http: httpx.Client, seeded: Seeded, visit: Visit, database_url: str
) -> None:
    with connect(database_url, application="test") as conn:
        other = conn.execute("select id from technician where id <> %s limit 1", (visit.technician,)).fetchone()
        assert other is not None
        who = UUID(str(other[0]))
        password = create_staff(conn, "bo", now=to_datetime(WALL), role=Role.TECHNICIAN, technician=who)
    http.post("/login", data={"login": "bo", "password": password})
    csrf = http.get("/day/session").json()["csrf"]
    assert "No visits on this day" in http.get("/day").text
    assert http.get(f"/day/visits/{visit.id}").status_code == 404
    for path in ("go", "late", "cannot", "steps", "outcome", "position"):
        given = {"csrf": csrf, "to": "travelling", "minutes": 15, "listed": "test-1", "code": "repaired"}
        answer = http.post(f"/day/visits/{visit.id}/{path}", data={**given, "lat": 1, "lon": 1})
        assert answer.status_code == 404, path
    assert rows(database_url, "select state from visit") == [("confirmed",)]
    assert http.get("/dispatch").status_code == 403
    http.post("/login", data={"login": "ana", "password": seeded.staff})
    assert http.get("/day").status_code == 403


def test_forms_work_without_script_and_count_once(http: httpx.Client, seeded: Seeded, visit: Visit) -> None:
    csrf = log_in(http, seeded)
    form = {"csrf": csrf, "key": "k1", "visits": str(visit.id)}
    for _ in range(2):
        answer = http.post("/day/van", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/day?done=loaded")
    assert "The van is loaded" not in http.get("/day?lang=en").text
    go = f"/day/visits/{visit.id}/go"
    assert (
        http.post(go, data={"csrf": csrf, "to": "on_site"})
        .headers["location"]
        .endswith("?gone=illegal-move&state=dispatched")
    )
    page = http.get(f"/day/visits/{visit.id}?gone=illegal-move&state=dispatched&lang=en").text
    assert "It is “Preparing” by now, so this was not entered." in page
    assert http.post(go, data={"csrf": "stale", "to": "travelling"}).status_code == 403
    assert (
        http.post(go, data={"csrf": csrf, "to": "travelling"}, headers={"Origin": "https://elsewhere"}).status_code
        == 403
    )
    answer = http.post(go, data={"csrf": csrf, "to": "travelling"})
    assert answer.headers["location"] == f"/day/visits/{visit.id}?done=travelling"
    assert "I am at the door" in http.get(f"/day/visits/{visit.id}").text


def test_what_is_sent_again_is_done_once_and_at_its_own_time(post: Post, database_url: str, visit: Visit) -> None:
    first = post("go", to="travelling", key="a", ago=1800)
    assert first.json() == {"done": "travelling"}
    assert post("go", to="travelling", key="a", ago=1860).json() == first.json()
    assert post("go", to="on_site", key="a").status_code == 422, "a key stands for one thing"
    assert post("go", to="on_site", key="b", ago=600).json() == {"done": "on_site"}
    lines = rows(database_url, "select body->>'new', at from ticket_event where kind = 'visit' order by id")[-3:]
    now = visit.start - timedelta(hours=1)
    half_an_hour, ten_minutes = now - timedelta(minutes=30), now - timedelta(minutes=10)
    assert lines == [("dispatched", half_an_hour), ("travelling", half_an_hour), ("on_site", ten_minutes)]
    assert rows(database_url, "select arrived from visit") == [(ten_minutes,)]
    refused = post("go", to="travelling", key="c")
    assert refused.status_code == 409
    assert refused.json()["title"] == "The visit has moved on"


def test_the_list_photos_and_delays(post: Post, http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    assert post("steps", listed=["safety-1", "test-1"], done=["test-1"]).status_code == 200
    assert post("steps", listed=["test-1"]).status_code == 200
    assert rows(database_url, "select step, done from visit_tick order by step") == [("test-1", False)]
    assert post("steps", listed=["nonsense"], done=["nonsense"]).json()["kind"] == "not-asked"
    sent = {"photo": ("p.png", picture(0x55), "image/png")}
    for _ in range(2):
        assert post("photos", files=sent, key="p").json() == {"done": "photo"}
    assert post("photos", files={"photo": ("x.svg", b"<svg/>", "image/svg+xml")}).json()["kind"] == "no-photo"
    kept = rows(database_url, "select id from photo where actor like 'technician:%%'")
    assert len(kept) == 1
    picked = http.get(f"/day/visits/{seeded.visit}/photos/{kept[0][0]}")
    assert picked.headers["content-type"] == "image/png"
    assert "sandbox" in picked.headers["content-security-policy"]
    assert post("late", minutes=30).json() == {"done": "late"}
    assert post("late", minutes=31).status_code == 422
    (letter,) = rows(database_url, "select subject from notice where stage = 'running_late'")
    assert "is late: about" in letter[0]
    assert "told: about 08:30" in http.get("/day?lang=en").text


def test_an_outcome_is_whole_or_refused_in_words(post: Post, http: httpx.Client, database_url: str) -> None:
    for to in ("travelling", "on_site"):
        post("go", to=to)
    assert post("outcome").status_code == 422, "there is no visit without a code"
    assert post("outcome", code="repaired").json()["kind"] == "needs-cause"
    strange = {"code": "repaired", "cause": "condenser_fan_wear", "fitted": ["RF-FAN-120"], "extra": "RF-DAMPER-M"}
    assert post("outcome", **strange).json()["title"] == "A reason is needed"
    dear = post("outcome", code="repaired", cause="condenser_fan_wear", charged="99,999").json()
    assert dear["title"] == "That is more than was agreed"
    assert "may be charged" in dear["detail"]
    plain = post("outcome", headers={}, code="repaired", cause="condenser_fan_wear", charged="9999")
    assert plain.headers["location"].partition("?")[0].endswith("/outcome")
    assert "That is more than was agreed" in http.get(plain.headers["location"] + "&lang=en").text
    assert rows(database_url, "select count(*) from outcome") == [(0,)]
    done = post(
        "outcome", **strange, note="damper was iced", extra_serial="D-1", sku="RF-FAN-120", serial="F-1", replaced="F-0"
    )
    assert done.json() == {"done": "outcome"}
    fitted = rows(database_url, "select sku, serial, replaced from fitted_part order by sku")
    assert fitted == [("RF-DAMPER-M", "D-1", ""), ("RF-FAN-120", "F-1", "F-0")]


def test_a_visit_that_fails_goes_back_to_dispatch(post: Post, database_url: str) -> None:
    assert post("cannot", reason="").status_code == 422
    assert post("cannot", reason="nobody at home", words="rang twice").json() == {"done": "missed"}
    assert rows(database_url, "select state, reason from visit") == [("missed", "nobody at home: rang twice")]


def test_a_position_is_seen_by_its_household_alone(
    post: Post, http: httpx.Client, seeded: Seeded, visit: Visit
) -> None:
    address = f"/v1/visits/{visit.id}/position"

    def seen(role: str) -> object:
        answer = http.get(address, headers={"Authorization": f"Bearer {seeded.tokens[role]}"})
        return answer.json()["lat"]

    here = {"lat": 31.2, "lon": 121.5}
    assert post("position", **here).status_code == 409
    post("go", to="travelling")
    assert post("position", **here).json() == {"kept": True}
    assert post("position", lat=91, lon=0).status_code == 422
    assert {role: seen(role) for role in ("owner", "technician", "admin", "dispatcher", "people")} == {
        "owner": 31.2,
        "technician": 31.2,
        "admin": None,
        "dispatcher": None,
        "people": None,
    }
    post("go", to="on_site")
    assert seen("owner") is None
    assert post("position", **here).status_code == 409


def test_the_same_by_tokens(http: httpx.Client, seeded: Seeded, visit: Visit) -> None:
    auth = {"Authorization": f"Bearer {seeded.tokens['technician']}"}
    day = http.get("/v1/technicians/me/days/2026-11-19", headers=auth).json()
    (stop,) = day["stops"]
    assert (stop["address"], stop["phone"]) == ("12 Elm Road", "+862155501234")
    assert stop["parts"][0]["packed"] is False
    assert http.get("/v1/technicians/me/days/2026-11-20", headers=auth).json()["stops"] == []
    path = f"/v1/visits/{visit.id}"
    assert http.post(f"{path}/checklist", json={"step": "van:RF-FAN-120"}, headers=auth).is_success
    again = http.get("/v1/technicians/me/days/2026-11-19", headers=auth).json()
    assert again["stops"][0]["parts"][0]["packed"] is True
    late = {"expected": "2026-11-19T01:00:00Z"}
    assert http.post(f"{path}/delay", json=late, headers=auth).json()["times"] == 1
    wrong = http.post(f"{path}/checklist", json={"step": "x"}, headers=auth)
    assert wrong.json()["legal"][0] == "van:RF-FAN-120"
