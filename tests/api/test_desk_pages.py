"""Dispatch's pages by real HTTP: each page, each action, what a narrower person sees, and who comes late."""

from __future__ import annotations

import random
import re
from typing import Any

import httpx
import pytest

from servicedesk.noting import note
from storage.access import Role, create_staff
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime
from tests.api.case import NOW, ORG, WALL, Seeded, office_of

_MANY = """
with made as (
    insert into device (org, device, kind, serial, household, registered)
    select 'demo', 'd-' || n, 'refrigerator', 'SN-' || n, %s, %s from generate_series(1, 60) n returning no
)
insert into ticket (id, org, device, household, family, severity, priority, state, responsible, next_action, opened,
    respond_due, next_due)
select gen_random_uuid(), 'demo', no, %s, 'refrigerant', 2, 2, 'hold', 'dispatch', 'resume', %s, %s,
    %s + no * interval '1 minute' from made
"""


@pytest.fixture
def ana(http: httpx.Client, seeded: Seeded) -> httpx.Client:
    assert http.post("/login", data={"login": "ana", "password": seeded.staff}).status_code == 303
    return http


def csrf_of(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)
    assert found is not None
    return found[1]


def post(client: httpx.Client, path: str, page: str, **fields: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf_of(client, page), **fields})


def newcomer(url: str, login: str, role: Role, **reach: Any) -> str:  # noqa: ANN401  (as create_staff takes them)
    with connect(url, application="test") as conn:
        return create_staff(conn, login, now=to_datetime(WALL), role=role, **reach)


def rows(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(url, application="test") as conn:
        return conn.execute(statement, values).fetchall()


def test_every_page_in_both_languages(ana: httpx.Client, seeded: Seeded) -> None:
    technician = ana.get("/v1/technicians", headers={"Authorization": f"Bearer {seeded.tokens['admin']}"}).json()
    first = technician["items"][0]["id"]
    for path, words in {
        "/dispatch": "工单",
        f"/tickets/{seeded.ref}": "时限",
        "/technicians": "技术员",
        f"/technicians/{first}": "请假",
        "/wall": "即将超时",
        "/roster": "值班",
        "/mails": "未归入工单",
        "/faults": "批量故障",
        "/reports": "服务报告",
        "/rules": "检测器可信度",
        "/audit": "审计日志",
        "/webhooks": "接收地址",
        f"/webhooks/{seeded.webhook}": "推送记录",
    }.items():
        for lang in ("en", "zh"):
            page = ana.get(path, params={"lang": lang})
            assert page.status_code == 200, (path, lang)
            assert (words in page.text) is (lang == "zh"), path
            plates = re.findall(r'class="([^"]*)"', page.text)
            assert sum("plate" in each.split() for each in plates) == 1, path
            assert page.text.count("btn-primary") <= 1, path
            assert "style=" not in page.text
            assert "Macro" not in page.text


def test_the_list_is_searched_and_paged(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        conn.execute(_MANY, (seeded.household, NOW, seeded.household, NOW, NOW, NOW))
        conn.execute("update contact set phone = '+86 138-0013 8000' where household = %s", (seeded.household,))
    first = ana.get("/dispatch")
    assert "1–50 of 61" in first.text
    assert "51–61 of 61" in ana.get("/dispatch", params={"page": 2}).text
    for sought, found in {
        seeded.ref.lower(): "1–1 of 1",
        "lx260-0042": "1–1 of 1",
        "SN-7": "1–1 of 1",
        "Lin": "1–50 of 61",
        "13800138000": "1–50 of 61",
        "%": "Nothing found for",
        "13900000000": "Nothing found for",
    }.items():
        assert found in ana.get("/dispatch", params={"q": sought}).text, sought
    assert "1–1 of 1" in ana.get("/dispatch", params={"severity": "3"}).text
    assert "Nothing to plan" in ana.get("/dispatch", params={"area": "South"}).text
    by_key = {"Authorization": f"Bearer {seeded.tokens['integration']}"}
    assert [t["ref"] for t in ana.get("/v1/tickets?q=lx260", headers=by_key).json()["items"]] == [seeded.ref]
    # Whoever may not read contacts finds nobody by them.
    assert ana.get("/v1/tickets?q=Lin", headers=by_key).json()["items"] == []


def test_notes_are_ours_and_answers_the_owners(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    page = f"/tickets/{seeded.ref}"
    post(ana, f"{page}/words", page, words="Cat <b>at home</b>", to="note")
    post(ana, f"{page}/words", page, words="Yes, it is safe.", to="owner")
    shown = ana.get(page).text
    picked = ana.get(f"/board?pick={seeded.ref}")
    assert f'href="/board?pick={seeded.ref}"' in shown
    assert picked.status_code == 200
    assert '<div class="memo"><b>Internal note, Ana</b><p>Cat &lt;b&gt;at home&lt;/b&gt;</p>' in shown
    assert re.search(r'<div class="bubble"><b>Ana to the owner, not sent yet</b><p>Yes, it is safe.</p>', shown)
    told = rows(database_url, "select body from notice where stage = 'answer'")
    assert len(told) == 1
    assert "Yes, it is safe." in told[0][0]
    as_owner = {"Authorization": f"Bearer {seeded.tokens['owner']}"}
    lines = ana.get(f"/v1/tickets/{seeded.ticket}", headers=as_owner).json()["timeline"]
    assert {"note", "handed_over"}.isdisjoint({each["kind"] for each in lines})
    assert "answer" in {each["kind"] for each in lines}


def test_who_is_late_keeps_the_text_and_reads_what_is_new(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    page = f"/tickets/{seeded.ref}"
    before = ana.get(page).text
    fields = {name: re.search(rf'name="{name}" value="([^"]+)"', before)[1] for name in ("csrf", "version", "seen")}  # type: ignore[index]
    newcomer(database_url, "bo", Role.DISPATCHER)
    with connect(database_url, application="test") as conn:
        office = office_of(conn, load_catalogue(), random.Random(1), NOW)
        note(office, seeded.ticket, "three weeks in hand", NOW, "dispatch:bo")
        conn.execute("update ticket set version = version + 1 where id = %s", (seeded.ticket,))
    late = ana.post(f"{page}/words", data={**fields, "words": "We come at nine", "to": "owner"})
    assert late.status_code == 409
    assert "This ticket changed while you were writing." in late.text
    assert re.search(r"<li><b>Bo</b> 09:30 Internal note, Bo: three weeks in hand</li>", late.text)
    assert ">We come at nine</textarea>" in late.text
    assert 'value="owner" checked' in late.text
    assert rows(database_url, "select 1 from notice where stage = 'answer'") == []
    moved = ana.post(f"{page}/moves", data={**fields, "to": "hold", "reason": "landlord"})
    assert moved.status_code == 409
    assert 'value="landlord"' in moved.text
    # A note never clashes; and what stands on the refused page's form goes through.
    assert ana.post(f"{page}/words", data={**fields, "words": "mine too", "to": "note"}).status_code == 303
    fresh = re.search(r'name="seen" value="(\d+)"', ana.get(page).text)
    assert fresh is not None
    again = ana.post(f"{page}/words", data={**fields, "seen": fresh[1], "words": "We come at nine", "to": "owner"})
    assert again.status_code == 303


def test_what_is_done_on_a_ticket(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    page = f"/tickets/{seeded.ref}"

    def act(path: str, status: int = 303, **fields: str) -> httpx.Response:
        answer = post(ana, f"{page}/{path}", page, **fields)
        assert answer.status_code == status, (path, fields)
        return answer

    act("hands", to="dispatch:ana")
    assert rows(database_url, "select responsible from ticket where id = %s", seeded.ticket) == [("dispatch:ana",)]
    act("hands", 409, to="owner")
    act("acknowledgement")
    act("calls", outcome="no_answer", words="rang twice")
    act("calls", outcome="complaint", words="too slow")
    assert "Call now: the owner complained" in ana.get(page).text
    act("tier", tier="vip", named="Ana")
    assert "Their contact with us: Ana" in ana.get(page).text
    act("parts", sku="RF-FAN-120", quantity="2")
    assert "2 on order" in ana.get(page).text
    act("parts", 409, sku="no-such-part")
    act("denial", 409, rule="liquid")
    act("evidence", code="liquid_inside", note="photo 4, left of the fan")
    assert "Deny by rule liquid" in ana.get(page).text
    act("denial", rule="liquid")
    assert "denied" in ana.get(page).text
    draft = rows(database_url, "select id from quote where ticket = %s and state = 'draft'", seeded.ticket)[0][0]
    act("quotes", quote=str(draft))
    assert rows(database_url, "select state from ticket where id = %s", seeded.ticket) == [("awaiting_quote",)]
    act("merge", 404, into="WK-9")
    photo = ana.get(f"{page}/photos/{seeded.photo}")
    assert (photo.headers["content-type"], photo.content[:4]) == ("image/png", b"\x89PNG")
    assert ana.get(f"{page}/photos/{seeded.ticket}").status_code == 404
    for path in ("words", "hands", "calls", "quotes", "parts", "tier", "denial", "evidence", "merge", "ways", "appeal"):
        bare = {"words": "x", "to": "note", "outcome": "reached", "sku": "x", "tier": "vip", "rule": "x", "code": "x"}
        more = {"into": "x", "way": str(seeded.ticket), "decision": str(seeded.ticket), "verdict": "upheld"}
        assert ana.post(f"{page}/{path}", data={**bare, **more}).status_code == 403, path


def test_an_absence_is_looked_at_before_it_is_entered(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    ((who, name),) = rows(
        database_url,
        "select t.id, t.name from visit v join technician t on t.id = v.technician where v.id = %s",
        seeded.visit,
    )
    page = f"/technicians/{who}"
    span = {"from": "2026-11-19T00:00", "to": "2026-11-20T00:00", "reason": "ill"}
    look = ana.get(f"{page}/absence", params=span)
    assert "1 visits fall into it" in look.text
    assert seeded.ref in look.text
    assert rows(database_url, "select 1 from technician_absence") == []
    assert ana.get(f"{page}/absence", params={**span, "to": "2026-11-18T00:00"}).status_code == 422
    done = post(ana, f"{page}/absence", page, **span, then="replan")
    assert done.headers["location"].endswith("?done=1.0")
    assert "1 visits have a new time" in ana.get(done.headers["location"]).text
    states = rows(
        database_url, "select state, technician from visit where ticket = %s order by proposed", seeded.ticket
    )
    assert [state for state, _ in states] == ["moved", "proposed"]
    assert f"<h1>{name}</h1>" in ana.get(page).text
    assert "Away" in ana.get("/technicians").text


def test_roster_and_silences(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    span = {"start": "2026-11-18T08:00", "until": "2026-11-19T08:00"}
    post(ana, "/roster", "/roster", org=ORG, name="Ana", address="ana@example.org", step="1", **span)
    page = ana.get("/roster").text
    assert "on call" in page
    assert "ana@example.org" not in page
    assert "Ana" in ana.get("/wall").text
    back = {"start": span["until"], "until": span["start"]}
    wrong = post(ana, "/roster", "/roster", org=ORG, name="Bo", address="b@example.org", step="1", **back)
    assert "It ends before it begins." in ana.get(wrong.headers["location"]).text
    ((entry,),) = rows(database_url, "select id from oncall")
    assert post(ana, "/roster/end", "/roster", row=str(entry)).status_code == 303
    assert post(ana, "/roster/end", "/roster", row=str(entry)).status_code == 404
    post(ana, "/silences", "/roster", kind="snooze", reason="works", ref=seeded.ref, until="2026-11-19T08:00")
    assert "one ticket" in ana.get("/roster").text
    endless = post(ana, "/silences", "/roster", kind="snooze", reason="works", ref=seeded.ref)
    assert endless.headers["location"] == "/roster?wrong=end"
    ((silence, by),) = rows(database_url, "select id, made_by from silence")
    assert by == "dispatch:ana"
    post(ana, "/silences/end", "/roster", silence=str(silence))
    assert "Nothing is kept back." in ana.get("/roster").text


def test_the_wall_counts_what_is_broken_and_what_stands(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        conn.execute(
            "insert into level_clock (id, ticket, policy, occasion, calendar, zone, started, allowed, consumed, since,"
            " due, breached) values (gen_random_uuid(), %s, 'response', 0, 'always', 'UTC', %s, '2 h', '2 h',"
            " %s, %s, %s)",
            (seeded.ticket, NOW, NOW, NOW, NOW),
        )
    page = ana.get("/wall").text
    assert '<li class="is-stop"><b>1</b>' in page
    assert f"/tickets/{seeded.ref}" in page
    wall = ana.get("/v1/wall", headers={"Authorization": f"Bearer {seeded.tokens['admin']}"}).json()
    assert (wall["broken"], wall["cases"][0]["ref"]) == (1, seeded.ref)


def test_the_audit_log_is_searched_exported_and_examined(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    ana.get(f"/tickets/{seeded.ref}")
    found = ana.get("/audit", params={"actor": "ana", "household": "lin", "action": "read"})
    assert f"ticket {seeded.ticket}" in found.text
    assert "rows follow one another" in found.text
    assert "No row matches" in ana.get("/audit", params={"until": "2020-01-01"}).text
    file = ana.get("/audit.csv", params={"action": "read"})
    assert file.headers["content-type"].startswith("text/csv")
    assert file.text.lstrip("\ufeff").splitlines()[0] == "seq,at,actor,action,what,household,body,hash"
    assert str(seeded.ticket) in file.text
    assert rows(database_url, "select 1 from audit_log where content::jsonb ->> 'action' = 'export'")
    with connect(database_url, application="test") as conn:
        conn.execute("alter table audit_log disable trigger all")
        conn.execute("update audit_log set content = content || ' ' where seq = 2")
    assert "The chain is broken at row 2" in ana.get("/audit").text


def test_webhooks_are_kept_by_page(ana: httpx.Client, seeded: Seeded, database_url: str) -> None:
    page = f"/webhooks/{seeded.webhook}"
    shown = post(ana, f"{page}/secret", page)
    assert "whsec_" in shown.text
    assert "whsec_" not in ana.get(page).text
    assert post(ana, f"{page}/acts", page, act="test").status_code == 303
    assert rows(database_url, "select 1 from webhook_delivery where cause = 'test'")
    post(ana, f"{page}/acts", page, act="pause")
    assert "Go on where it stopped" in ana.get(page).text
    post(ana, f"{page}/acts", page, act="enable")
    assert "Send a test" in ana.get(page).text
    refused = post(ana, "/webhooks", "/webhooks", url="http://127.0.0.1/", org=ORG)
    assert refused.status_code == 409
    assert post(ana, f"{page}/acts", page, act="remove").headers["location"] == "/webhooks"
    assert ana.get(page).status_code == 404


def test_a_narrower_reach_and_other_roles(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    def enter(login: str, role: Role, **reach: Any) -> str:  # noqa: ANN401  (likewise)
        password = newcomer(database_url, login, role, **reach)
        http.cookies.clear()
        return http.post("/login", data={"login": login, "password": password}).headers["location"]

    assert enter("south", Role.DISPATCHER, org=ORG, areas=["South"]) == "/dispatch"
    assert seeded.ref not in http.get("/dispatch", params={"view": "all"}).text
    assert http.get(f"/tickets/{seeded.ref}").status_code == 404
    assert http.get(f"/tickets/{seeded.ref}/photos/{seeded.photo}").status_code == 404
    assert seeded.ref not in http.get("/mailbox").text
    assert "No finding is open" in http.get("/faults").text
    csrf = csrf_of(http, "/dispatch")
    moved = http.post(f"/tickets/{seeded.ref}/words", data={"csrf": csrf, "words": "x", "to": "note"})
    assert moved.status_code == 404
    assert http.get("/audit").status_code == 403
    assert http.get("/webhooks").status_code == 403
    assert enter("away", Role.DISPATCHER, org="elsewhere") == "/dispatch"
    assert seeded.ref not in http.get("/dispatch").text
    assert http.get("/technicians").text.count("/technicians/") == 0
    assert enter("lee", Role.ENGINEER) == "/lab"
    for path in ("/dispatch", f"/tickets/{seeded.ref}", "/wall", "/technicians", "/reports", "/audit", "/mailbox"):
        assert http.get(path).status_code == 403, path
    assert http.get("/").headers["location"] == "/lab"
