"""Self-help, surveys and a household's own data over the API; what is read is logged."""

from __future__ import annotations

import base64
import random
from typing import Any

import httpx
import msgspec
import pytest

from servicedesk.audit import examine
from servicedesk.photos import PhotoError, stripped
from servicedesk.privacy import erase
from storage.desk import PgDesk
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.finding import EpisodeState
from tests.api.case import NOW, Seeded, office_of, picture, store_finding


def bearer(seeded: Seeded, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {seeded.tokens[role]}"}


def logged(http: httpx.Client, seeded: Seeded, action: str) -> list[dict[str, Any]]:
    rows = http.get("/v1/audit", params={"limit": 100}, headers=bearer(seeded, "admin")).json()["items"]
    return [row for row in rows if row["action"] == action]


def test_a_guide_is_answered_over_the_api_and_the_visit_withdrawn_with_one_tap(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    owner, path = bearer(seeded, "owner"), f"/v1/tickets/{seeded.ticket}"
    guide = http.get(f"{path}/self-check", headers=owner).json()
    assert (guide["fault"], guide["step"], len(guide["steps"])) == ("condenser_fan_wear", 1, 3)
    assert guide["steps"][0]["text"].keys() == {"zh", "en"}
    odd = http.post(f"{path}/self-check", json={"step": 3, "answer": "done"}, headers=owner)
    assert (odd.status_code, odd.json()["legal"]) == (422, ["1"])
    for step in (1, 2, 3):
        told = http.post(f"{path}/self-check", json={"step": step, "answer": "done"}, headers=owner).json()
    assert (told["step"], told["leads"], told["withdrawable"]) == (None, "wait", False)
    seen = http.get(f"{path}/self-check", headers=bearer(seeded, "technician")).json()
    assert [each["given"]["answer"] for each in seen["steps"]] == ["done"] * 3
    early = http.post(f"{path}/withdrawal", json={}, headers=owner)
    assert (early.status_code, early.json()["type"].rsplit("/", 1)[1]) == (409, "not-recovered")
    with connect(database_url, application="test") as conn:
        ended = msgspec.structs.replace(seeded.finding, revision=1, state=EpisodeState.ENDED)
        store_finding(conn, seeded.device, ended)
    assert http.get(f"{path}/self-check", headers=owner).json()["withdrawable"]
    done = http.post(f"{path}/withdrawal", json={}, headers=owner).json()
    assert (done["state"], done["visits"][0]["state"]) == ("self_fixed", "cancelled")
    report = http.get("/v1/reports/care", params={"to": "2026-11-19T00:00:00Z"}, headers=bearer(seeded, "admin")).json()
    assert (report["guides_tried"], report["withdrawn"], report["visits_avoided"]) == (1, 1, 1)


def test_a_photo_is_what_its_content_says_without_what_the_camera_wrote(http: httpx.Client, seeded: Seeded) -> None:
    owner, path = bearer(seeded, "owner"), f"/v1/tickets/{seeded.ticket}/photos"
    sent = {"content": base64.b64encode(picture(0x20)).decode()}
    made = http.post(path, json=sent, headers=owner)
    assert made.status_code == 201
    assert http.post(path, json=sent, headers=owner).json()["id"] == made.json()["id"]
    kept = http.get(f"{path}/{made.json()['id']}", headers=owner).json()
    assert kept["media"] == "image/png"
    assert b"121.5 E" not in base64.b64decode(kept["content"])
    script = base64.b64encode(b"<svg onload=alert(1)>").decode()
    assert http.post(path, json={"content": script}, headers=owner).status_code == 422
    assert http.post(path, json=sent, headers=bearer(seeded, "read_only")).status_code == 403


def test_the_type_of_a_photo_is_told_by_its_bytes_and_damage_is_refused() -> None:
    exif = b"\xff\xe1\x00\x0aExif\x00\x00GP"
    scan = b"\xff\xda\x00\x04\x01\x02" + b"\x12\xff\x00\x34"
    jpeg = b"\xff\xd8" + b"\xff\xe0\x00\x04JF" + exif + b"\xff\xfe\x00\x06here" + scan + b"\xff\xd9"
    media, clean = stripped(jpeg + b"PK\x03\x04 hung on behind")
    assert (media, clean) == ("image/jpeg", b"\xff\xd8" + b"\xff\xe0\x00\x04JF" + scan + b"\xff\xd9")
    body = b"WEBP" + b"VP8L\x02\x00\x00\x00ab" + b"EXIF\x02\x00\x00\x00me"
    media, clean = stripped(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert (media, clean) == ("image/webp", b"RIFF\x0e\x00\x00\x00WEBPVP8L\x02\x00\x00\x00ab")
    damaged = [jpeg[:-2], picture()[:-6], picture().replace(b"IDAT", b"IDAX"), b"", b"GIF89a", b"\xff\xd8\xff"]
    for content in (*damaged, b"\x89PNG" + b"0" * 700_000):
        with pytest.raises(PhotoError):
            stripped(content)


def test_a_survey_is_answered_once_and_a_bad_answer_opens_the_case_again(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    owner, path = bearer(seeded, "owner"), f"/v1/tickets/{seeded.ticket}"
    assert http.get(f"{path}/survey", headers=owner).json()["asked"] is None
    assert http.post(f"{path}/survey", json={"score": 4}, headers=owner).status_code == 404
    with connect(database_url, application="test") as conn:
        conn.execute("update visit set state = 'done' where id = %s", (seeded.visit,))
        conn.execute("update ticket set state = 'verified' where id = %s", (seeded.ticket,))
        conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))
    assert http.post(f"{path}/survey", json={"score": 6}, headers=owner).status_code == 422
    told = http.post(f"{path}/survey", json={"score": 2, "words": "it hums"}, headers=owner).json()
    assert (told["score"], told["words"]) == (2, "it hums")
    again = http.post(f"{path}/survey", json={"score": 5}, headers=owner)
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[1]) == (409, "survey-answered")
    assert http.get(path, headers=owner).json()["state"] == "reopened"
    (call,) = http.get("/v1/calls", headers=bearer(seeded, "dispatcher")).json()["items"]
    assert (call["reason"], call["due"]) == ("low_csat", "2026-11-18T03:30:00Z")


def test_each_read_of_personal_data_by_staff_is_logged_and_an_owners_own_is_not(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    home = f"/v1/households/{seeded.household}"
    with connect(database_url, application="test") as conn:
        before = examine(PgDesk(conn).care.audit.rows()).rows
    assert http.get(home, headers=bearer(seeded, "owner")).json()["contacts"][0]["email"] == "owner@example.org"
    assert logged(http, seeded, "read") == []
    http.get(home, headers=bearer(seeded, "dispatcher"))
    http.get(f"/v1/tickets/{seeded.ticket}", headers=bearer(seeded, "technician"))
    http.get("/v1/notices", headers=bearer(seeded, "read_only"))
    found = [(row["what"], row["actor"].partition(":")[0]) for row in reversed(logged(http, seeded, "read"))]
    assert found == [
        ("household contacts", "dispatcher"),
        (f"ticket {seeded.ticket}", "technician"),
        ("notices", "read_only"),
    ]
    http.post("/login", data={"login": "ana", "password": seeded.staff}, headers={"Origin": "null"})
    http.get(f"/tickets/{seeded.ref}")
    assert logged(http, seeded, "read")[0]["actor"] == "staff:ana"
    assert http.get("/v1/audit", headers=bearer(seeded, "dispatcher")).status_code == 403
    assert http.get("/v1/audit", headers=bearer(seeded, "foreign")).status_code == 403
    with connect(database_url, application="test") as conn:
        told = examine(PgDesk(conn).care.audit.rows())
        assert (told.rows - before, told.broken) == (4, None)


def test_a_household_agrees_purpose_by_purpose_takes_its_data_and_is_forgotten(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    owner, home = bearer(seeded, "owner"), f"/v1/households/{seeded.household}"
    said = {"purpose": "service", "granted": False}
    told = http.post(f"{home}/consents", json=said, headers=owner).json()
    assert told["now"] == {"alerts": True, "service": False, "analytics": True, "follow_up": True}
    assert [(each["purpose"], each["granted"], each["actor"]) for each in told["history"]] == [
        ("service", False, "owner")
    ]
    everything = http.get(f"{home}/export", headers=owner).json()
    assert everything["contacts"][0]["email"] == "owner@example.org"
    assert everything["cases"][0]["ticket"]["ref"] == seeded.ref
    link = {"Authorization": f"Bearer {seeded.link}"}
    assert http.get(f"{home}/export", headers=link).status_code == 404  # a case's link opens that case alone
    asked = http.post(f"{home}/erasure", json={}, headers=owner)
    assert (asked.status_code, asked.json()["done"]) == (200, None)
    with connect(database_url, application="test") as conn:
        erase(office_of(conn, load_catalogue(), random.Random(1), NOW), seeded.household, NOW)
    gone = http.get(home, headers=owner)
    assert gone.status_code == 401  # its link has ended
    desk = bearer(seeded, "admin")
    left = http.get(f"{home}/export", headers=desk)
    assert left.json()["erasure"]["report"]["kept"]
    assert "owner@example.org" not in left.text
    assert "Lin" not in left.text
    assert http.get(f"/o/{seeded.link}").status_code == 410


def test_the_owners_page_asks_step_by_step_and_offers_the_tap_and_the_survey(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    page, own = f"/o/{seeded.link}", {"Origin": "null"}
    assert "I cannot do that" in http.get(page).text
    for step in (1, 2, 3):
        answer = {"step": step, "answer": "done"}
        assert http.post(f"{page}/self-check", data=answer, headers=own).status_code == 303
    shown = http.get(page).text
    assert "The readings will show whether it helped" in shown
    assert "I cannot do that" not in shown
    early = http.post(f"{page}/withdrawal", headers=own)
    assert early.headers["location"].endswith("gone=move")
    with connect(database_url, application="test") as conn:
        ended = msgspec.structs.replace(seeded.finding, revision=1, state=EpisodeState.ENDED)
        store_finding(conn, seeded.device, ended)
        conn.execute("insert into survey (ticket, asked) values (%s, %s)", (seeded.ticket, NOW))
    assert "No visit is needed" in http.get(page, params={"lang": "en"}).text
    assert http.post(f"{page}/withdrawal", headers=own).headers["location"].endswith("done=withdrawn")
    assert "How was the repair?" in http.get(page).text
    assert http.post(f"{page}/survey", data={"score": 5, "follow_up": "yes"}, headers=own).status_code == 303
    assert "How was the repair?" not in http.get(page).text
    http.post("/login", data={"login": "ana", "password": seeded.staff}, headers=own)
    assert "Self-check, step 3: done" in http.get(f"/tickets/{seeded.ref}").text
