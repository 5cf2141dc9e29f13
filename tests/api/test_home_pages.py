"""Quote, report, my appliances, privacy: every state over real HTTP, and what each of their forms does."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from functools import cache
from importlib.resources import files

import httpx

from servicedesk.privacy import KEPT, erase
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from tests.api.case import DAY, NOW, Seeded, office_of
from tests.api.home_states import furnished, proven, proving, quoted, verified
from tests.api.test_idempotency import bearer

LIMIT = 150_000
FOREIGN = {"Origin": "https://elsewhere.example"}


def own(seeded: Seeded) -> str:
    return f"/o/{seeded.tokens['owner']}"


def prepare(url: str, *scenes: object) -> None:
    with connect(url, application="test") as conn:
        for scene in scenes:
            scene(conn)  # type: ignore[operator]


def once(page: httpx.Response) -> str:
    """The text of a page that has one plate and one filled button, no inline style, and is light."""
    assert page.status_code == 200, page.text
    assert len(re.findall(r'class="plate[ "]', page.text)) == 1
    assert page.text.count("btn-primary") == 1
    assert "style=" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assets = set(re.findall(r'(?:href|src)="/static/([^"?]+)', page.text))
    assert len(page.content) + sum(_size(each) for each in assets) <= LIMIT
    return page.text


@cache
def _size(asset: str) -> int:
    return len(files("api").joinpath("static", *asset.split("/")).read_bytes())


def test_before_the_repair_there_is_honestly_no_report_and_no_quote(http: httpx.Client, seeded: Seeded) -> None:
    text = once(http.get(f"{seeded.alert}/quote"))
    assert "There is no quote for this repair" in text
    assert "The warranty pays" in text
    text = once(http.get(f"{seeded.alert}/report"))
    assert "There is no report yet" in text
    assert "It is not fixed" not in text
    early = http.post(f"{seeded.alert}/not-fixed", data={"words": "it hums"})
    assert early.headers["location"].endswith("/report?gone=move")
    assert "That is no longer possible" in http.get(early.headers["location"]).text


def test_a_proven_repair_is_rated_once_and_taken_up_again(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    prepare(database_url, lambda conn: proven(conn, seeded), lambda conn: proving(conn, seeded))
    path = f"{seeded.alert}/report"
    text = once(http.get(path))
    for words in (
        "We are watching the readings",
        "c-repair-tick",
        "c-proof",
        "Nothing was charged.",
        "It is not fixed",
    ):
        assert words in text, words
    assert 'name="score"' not in text
    prepare(database_url, lambda conn: verified(conn, seeded))
    text = once(http.get(path))
    for words in (
        "back to normal for 3 days",
        "A small fan is wearing out",
        "It is what we expected",
        "CF-240-118-07731",
        "CF-22054",
        "Until 13 November 2027",
        "Photos: 1",
        "c-onset-mark",
        "c-proof",
    ):
        assert words in text, words
    assert "for our own eyes" not in text
    assert re.findall(r'name="score" value="(\d)" required', text) == list("12345")
    inside = once(http.get(path, headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.49"}))
    assert "report.html" not in inside  # its browser takes no files
    assert "Open in browser" in inside
    photo = re.search(r'src="([^"]+/photos/[^"]+)"', text)
    assert photo is not None
    picture = http.get(photo[1])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert http.get(f"{seeded.alert}/photos/{seeded.quote}").status_code == 404
    saved = http.get(f"{path}.html")
    assert "attachment" in saved.headers["content-disposition"]
    assert seeded.link not in saved.text
    assert not re.findall(r'(?:href|src|action)="(?!#)', saved.text)
    assert "<style>" in saved.text
    assert http.post(f"{seeded.alert}/survey", data={"score": 4}, headers=FOREIGN).status_code == 403
    given = http.post(f"{seeded.alert}/survey", data={"score": 4, "words": "on time", "follow_up": "yes"})
    told = once(http.get(given.headers["location"]))
    assert "You gave 4 of 5" in told
    assert 'name="score"' not in told
    again = http.post(f"{seeded.alert}/survey", data={"score": 1})
    assert "gone=move" in again.headers["location"]
    assert http.post(f"{seeded.alert}/not-fixed", data={"words": ""}).status_code == 422
    reopened = http.post(f"{seeded.alert}/not-fixed", data={"words": "it hums as before"})
    text = once(http.get(reopened.headers["location"]))
    assert "We come again: it is not fixed yet" in text
    assert "no second call-out fee" in text
    body = http.get(f"/v1/tickets/{seeded.ticket}", headers=bearer(seeded)).json()
    assert body["state"] == "reopened"
    report = http.get(f"/v1/tickets/{seeded.ticket}/report", headers=bearer(seeded)).json()
    assert (report["rating"], report["guarantee_until"], report["fitted"][0]["serial"]) == (4, None, "CF-240-118-07731")


QUOTES = {
    "sent": ("What the repair costs", "Approve this quote", "Valid until", "In all"),
    "seen": ("Waits for your answer", "Seen", "Line by line"),
    "approved": ("You approved this quote", "You pay at most CN¥250.00"),
    "declined": ("You declined this quote", "Your reason: too dear"),
    "expired": ("This quote no longer holds", "we told you when it ended", "Ask for a new one"),
}


def test_a_quote_in_each_state_and_an_expired_one_made_anew(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    page = f"{seeded.alert}/quote"
    for state, words in QUOTES.items():
        with connect(database_url, application="test") as conn:
            quoted(conn, seeded, state, seen=state == "seen")
        text = once(http.get(page))
        for each in words:
            assert each in text, (state, each)
        assert ("Approve this quote" in text) == (state in ("sent", "seen"))
        assert ("Ask for a new one" in text) == (state == "expired")
        assert "The warranty has ended" in text
    assert once(http.get(f"{seeded.alert}/quotes/{seeded.quote}"))
    assert http.get(f"{seeded.alert}/quotes/{seeded.ticket}").status_code == 404
    renewed = http.post(f"{page}/renew", data={"quote": str(seeded.quote)})
    text = once(http.get(renewed.headers["location"]))
    for each in ("Here is a fresh quote", "Approve this quote", "Quote of 18 November", "Not yet handed over"):
        assert each in text, each
    twice = http.post(f"{page}/renew", data={"quote": str(seeded.quote)})
    assert "gone=move" in twice.headers["location"]


def test_a_denied_warranty_is_told_with_its_grounds_and_appealed(http: httpx.Client, seeded: Seeded) -> None:
    ticket, auth = f"/v1/tickets/{seeded.ticket}", {"Authorization": f"Bearer {seeded.tokens['admin']}"}
    found = {"code": "liquid_inside", "note": "picture 2 of the visit"}
    assert http.post(f"{ticket}/warranty/evidence", json=found, headers=auth).is_success
    assert http.post(f"{ticket}/warranty/denial", json={"rule": "liquid"}, headers=auth).is_success
    text = once(http.get(f"{seeded.alert}/quote"))
    for words in ("Not covered by the warranty", "traces of liquid inside", "I do not agree with this"):
        assert words in text
    said = http.post(f"{seeded.alert}/quote/appeal", data={"words": "it never was wet"})
    text = http.get(said.headers["location"]).text
    assert "Is being looked at" in text
    assert "Somebody else than before answers by 23 November" in text
    assert "I do not agree with this" not in text


def test_my_appliances_say_how_each_one_is(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    prepare(database_url, lambda conn: furnished(conn, seeded))
    assert http.get(own(seeded)).headers["location"] == f"{own(seeded)}/home"
    text = once(http.get(f"{own(seeded)}/home"))
    for words in (
        "2 appliances need a look",
        "Fault developing",
        "in 3–6 weeks",
        "Healthy",
        "Electricity a day",
        "Learning, day 5 of 14",
        "No data since 16 Nov, 09:30",
        "None in sight",
        "Last reading 18 Nov, 09:10",
        f"?case={seeded.ref}",
    ):
        assert words in text, words
    assert text.count('class="spark"') == 2
    chinese = http.get(f"{own(seeded)}/home", params={"lang": "zh"}).text
    assert "学习中，第5天，共14天" in chinese
    assert f"?case={seeded.ref}&amp;lang=zh" in chinese
    case = http.get(own(seeded), params={"case": seeded.ref})
    assert "turning too slowly" in case.text
    assert f"/report?case={seeded.ref}" in case.text
    assert http.get(own(seeded), params={"case": "WK-9999"}).status_code == 404
    told = http.get(f"/v1/devices/{seeded.device.org}/washer-1/trend", headers=bearer(seeded)).json()
    assert (len(told["points"]), told["unit"], told["finding"]) == (28, "kWh", None)
    one = http.get(f"/v1/devices/{seeded.device.org}/heater-1/condition", headers=bearer(seeded)).json()
    assert (one["health"], one["silent_since"]) == ("no_data", "2026-11-16T01:30:00Z")


def test_an_owner_mutes_reports_and_removes(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    prepare(database_url, lambda conn: furnished(conn, seeded))
    home = f"{own(seeded)}/home"
    muted = http.post(f"{home}/mute", data={"device": "washer-1", "span": "week"})
    assert "Until 25 Nov, 09:30" in http.get(muted.headers["location"]).text
    assert "gone=move" in http.post(f"{home}/mute", data={"device": "washer-1", "span": "ever"}).headers["location"]
    assert http.post(f"{home}/mute", data={"device": "nobody's", "span": "day"}).status_code == 404
    loud = http.post(f"{home}/unmute", data={"device": "washer-1"})
    assert "No longer muted" in http.get(loud.headers["location"]).text
    said = http.post(f"{home}/report", data={"device": "washer-1", "words": "it leaks"})
    assert "case=WK-1002" in said.headers["location"]
    assert "We have your report" in http.get(said.headers["location"]).text
    step = once(http.get(f"{home}/remove", params={"device": "washer-1"}))
    assert "Its open cases end (1)" in step
    assert http.post(f"{home}/remove", data={"device": "washer-1", "why": "no idea"}).status_code == 422
    gone = http.post(f"{home}/remove", data={"device": "washer-1", "why": "sold"})
    text = http.get(gone.headers["location"]).text
    assert "The appliance is removed" in text
    assert "Washing machine" not in text
    assert http.get(f"{home}/remove", params={"device": "washer-1"}).status_code == 404
    tickets = http.get("/v1/tickets", headers=bearer(seeded)).json()["items"]
    assert {each["state"] for each in tickets if each["ref"] == "WK-1002"} == {"cancelled"}


def test_the_link_of_a_case_gets_the_households_by_its_addresses_only(http: httpx.Client, seeded: Seeded) -> None:
    for path in ("/home", "/privacy"):
        text = once(http.get(seeded.alert + path))
        assert "This link opens one case" in text
        assert "owner" not in re.sub(r"<[^>]*>", "", text)
    for path, data in (
        ("/home/mute", {"device": "fridge-1", "span": "day"}),
        ("/privacy/consent", {"purpose": "alerts", "granted": "false"}),
        ("/privacy/export", {}),
        ("/privacy/erase", {"why": "moved", "sure": "yes"}),
    ):
        assert http.post(seeded.alert + path, data=data).status_code == 404, path
    assert http.get(f"{seeded.alert}/readings/fridge-1").status_code == 404
    sent = http.post(f"{seeded.alert}/home/link")
    page = http.get(sent.headers["location"])
    assert "The link is on its way" in page.text
    notices = http.get("/v1/notices", headers=bearer(seeded)).json()["items"]
    link = next(each["link"] for each in notices if each["stage"] == "home_link")
    assert link.rpartition("/")[2] not in page.text
    assert "Nothing was sent" in http.get(http.post(f"{seeded.alert}/home/link").headers["location"]).text
    assert "What happens next" in http.get(f"/o/{link.rpartition('/o/')[2]}/home").text


def test_privacy_and_notices(http: httpx.Client, seeded: Seeded) -> None:
    page = f"{own(seeded)}/privacy"
    text = once(http.get(page))
    assert "o***@example.org" in text
    assert "owner@example.org" not in text
    assert "Asia/Shanghai, now 09:30" in text

    def post(path: str, **data: str) -> str:
        answer = http.post(f"{page}/{path}", data=data)
        assert answer.status_code == 303, answer.text
        return http.get(answer.headers["location"]).text

    off = post("consent", purpose="analytics", granted="false")
    assert "Switched off" in off
    assert "Off: they do not count." in off
    assert "Switched on" in post("consent", purpose="analytics", granted="true")
    assert "That address was not added" in post("mail", address="nonsense")
    assert "g***@example.org" in post("mail", address="grandma@example.org")
    assert "That address was not added" in post("chat", url="json://10.0.0.1/hook")
    added = post("chat", url="ntfy://ntfy.sh/li-secret")
    assert "Address added" in added
    assert "li-secret" not in added
    *_, chat = re.findall(r'name="way" value="([0-9a-f-]{36})"', added)
    first = post("first", way=chat)
    assert first.index("ntfy</b>") < first.index("o***@example.org")
    assert "Address removed" in post("drop", way=chat)
    for _ in range(2):
        way = re.search(r'privacy/drop[^>]*>\s*<input type="hidden" name="way" value="([^"]+)"', http.get(page).text)
        assert way is not None
        last = post("drop", way=way[1])
    assert "That is the only way to you" in last
    assert "已保存" in post("wishes", lang="zh", quiet_from="22:30", quiet_to="07:00")
    assert 'value="22:30"' in http.get(page, params={"lang": "en"}).text
    assert http.post(f"{page}/wishes", data={"lang": "zh", "quiet_from": "x", "quiet_to": "y"}).status_code == 422
    wishes = http.get(f"/v1/households/{seeded.household}/wishes", headers=bearer(seeded)).json()
    assert (wishes["lang"], wishes["quiet_from"]) == ("zh", "22:30:00")


def test_a_copy_of_everything_and_of_the_readings(http: httpx.Client, seeded: Seeded, database_url: str) -> None:
    prepare(database_url, lambda conn: furnished(conn, seeded))
    copy = http.post(f"{own(seeded)}/privacy/export")
    assert "attachment" in copy.headers["content-disposition"]
    told = json.loads(copy.text)
    assert told["contacts"][0]["email"] == "owner@example.org"
    assert told["cases"][0]["ticket"]["ref"] == seeded.ref
    logged = http.get("/v1/audit", headers={"Authorization": f"Bearer {seeded.tokens['admin']}"}).json()["items"]
    assert (logged[0]["action"], logged[0]["actor"]) == ("export", "owner")
    table = http.get(f"{own(seeded)}/readings/washer-1")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == 56
    assert rows[0]["t"] == "2026-09-23T06:30:00.000000Z"
    assert float(rows[0]["power"]) > 20
    assert http.get(f"{own(seeded)}/readings/nobody").status_code == 404


def test_being_forgotten_takes_two_steps_and_ends_the_link(
    http: httpx.Client, seeded: Seeded, database_url: str
) -> None:
    page = f"{own(seeded)}/privacy"
    step = once(http.get(f"{page}/erase"))
    assert "Tax law asks for the amounts." in step
    assert step.count("<dt>") == len(KEPT)
    for data in ({"why": "moved"}, {"why": "no reason", "sure": "yes"}):
        assert http.post(f"{page}/erase", data=data).headers["location"] == f"{page}/erase"
    with connect(database_url, application="test") as conn:
        assert conn.execute("select count(*) from erasure").fetchone() == (0,)
    asked = http.post(f"{page}/erase", data={"why": "moved", "sure": "yes"})
    text = once(http.get(asked.headers["location"]))
    assert "Your wish is noted" in text
    assert "Asked for on 18 Nov, 09:30" in text
    with connect(database_url, application="test") as conn:
        erase(office_of(conn, load_catalogue(), random.Random(1), NOW + DAY), seeded.household, NOW + DAY)
    assert http.get(page).status_code == 410
    assert http.get(seeded.alert).status_code == 410
