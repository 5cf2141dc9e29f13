"""The owner's alert, times and visit, state by state, in both languages; what a link never gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from servicedesk.door_code import door_code
from servicedesk.states import TicketState
from stack.embedded_postgres import EmbeddedPostgres
from storage.pool import connect
from tests.api import owner_states as states
from tests.api.case import NOW, Seeded
from tests.api.owner_stage import Stage, staged

WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 "
    "Mobile Safari/537.36 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN"
)
Said = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""What a state says in English and in Chinese, and what it does not say."""
ALERT: dict[str, Said] = {
    "new": (("Confirm this visit", "Held until", "Other time", "Try a self-check"), ("确认这次上门",), ()),
    "confirmed": (("Visit confirmed", "See your visit"), ("上门已确认",), ("Confirm this visit",)),
    "travelling": (("On the way to you", "See your visit"), ("正在赶来",), ("Confirm this visit",)),
    "safety": (("plate-stop", "Unplug it first", "It is unplugged"), ("请先断电", "已经拔掉"), ("Safe to use",)),
    "unplugged": (("plate-stop", "Confirm this visit"), ("确认这次上门",), ("It is unplugged", "Safe to use")),
    "passed": (("That time has passed", "Choose a new time"), ("这个时间已经过了",), ("Confirm this visit",)),
    "no visit": (("We look for a time", "Choose a time", "Call me"), ("选择上门时间",), ("Confirm this visit",)),
    "on hold": (("On hold",), ("暂时搁置",), ("Confirm this visit", "Choose a time")),
    "we were wrong": (
        ("We were wrong: nothing was broken",),
        ("判断错了", "不收费"),
        ("btn-primary", "may fail"),
    ),
    "not a problem": (("Settled: nothing was broken",), ("没有故障",), ("We were wrong", "btn-primary")),
}
VISIT: dict[str, Said] = {
    "new": (("Does this time suit you?", "Confirm this visit", "Cancel this visit"), ("确认这次上门",), ("Code at",)),
    "confirmed": (("Your visit is booked", "Tell us how to get in"), ("怎么进门",), ('class="talk"',)),
    "answered": (
        ("Put it in my calendar", "code 4711", "a shy cat", "Do you bring a new fan?", "Yes, it lies in the van."),
        ("加入我的日历", "有成年人在家", "客服"),
        ("for our own eyes", "Tell us how to get in"),
    ),
    "closed": (("Free changes ended", "we find a way"), ("免费改约已于",), ("Other time", "Cancel this visit")),
    "unseen": (("is on the way to you", "We can't see it right now"), ("暂时看不到位置",), ("Last seen", "sketch")),
    "travelling": (
        ("Expected at about", "09:45", "About 15 minutes", "4.9 km away", "On time", 'class="sketch"'),
        ("预计到达", "大约15分钟", "相距4.9公里"),
        ("Cancel this visit",),
    ),
    "late": (("is late: about 11:20 instead of 11:00.",), ("会晚到，大约11:20",), ("On time",)),
    "overdue": (("is late: you were promised 08:30 at the latest.",), ("原定08:30前到达",), ("On time", "Tell us how")),
    "on site": (("The repair is in progress",), ("正在维修",), ("Last seen", "sketch", "Calendar file")),
    "done": (("The visit is done", "See whether it worked"), ("上门已完成",), ("Code at the door",)),
    "moved": (
        ("We moved your visit. Does Tuesday suit you as well?", "Yes, Tuesday suits me", "Nothing is fixed"),
        ("我们调整了上门时间，改到星期二您方便吗？", "可以，星期二方便"),
        ("Code at the door",),
    ),
    "missed": (("did not take place. We are sorry.", "Choose a time"), ("非常抱歉",), ("Code at the door",)),
    "cancelled": (("is cancelled", "Choose another time, or a person"), ("的上门已取消",), ("You called it off",)),
    "declined": (("is cancelled", "You called it off"), ("您取消了这次上门",), ("Code at the door",)),
    "passed": (("That time has passed", "Choose a new time"), ("这个时间已经过了",), ("Confirm this visit",)),
}
TIME: dict[str, Said] = {
    "new": (
        ("The three best", "Keep this time for me", "Keep the proposed visit"),
        ("先为我保留",),
        ("Book this time",),
    ),
    "held": (
        ("Kept for you", "Until 09:40", "Book this time", "Or another time"),
        ("已为您保留",),
        ("The three best",),
    ),
    "none": (("No other time can be offered", "Call me"), ("目前没有其他可选的时间",), ("Keep this time",)),
    "closed": (("A person has to change this one", "Call me"), ("需要客服来办",), ("Keep this time",)),
    "first": (("Keep this time for me",), ("先为我保留",), ("Keep the proposed visit",)),
}


@pytest.fixture(scope="module")
def theatre(postgres: EmbeddedPostgres, seeded_template: tuple[str, Seeded]) -> Iterator[Stage]:
    with staged(postgres, *seeded_template) as made:
        yield made


@pytest.fixture
def stage(theatre: Stage) -> Iterator[Stage]:
    yield theatre
    theatre.enter(None)


def words_of(answer: httpx.Response) -> str:
    """The page, after what holds of every page."""
    assert answer.status_code == 200, answer.text
    html = answer.text
    assert len(re.findall(r'class="plate(?: plate-stop)?"', html)) == 1
    assert html.count("btn-primary") <= 1
    assert "style=" not in html
    assert ">None<" not in html
    assert answer.headers["referrer-policy"] == "no-referrer"
    return html


@pytest.mark.parametrize(
    ("path", "table", "said"),
    [("", states.ALERT, ALERT), ("/visit", states.VISIT, VISIT), ("/time", states.TIME, TIME)],
)
def test_each_state_says_what_is(
    stage: Stage,
    path: str,
    table: dict[str, states.Enter],
    said: dict[str, Said],
) -> None:
    assert said.keys() == {"new", *table}
    for name, (english, chinese, absent) in said.items():
        stage.enter(table.get(name))
        page = words_of(stage.get(path))
        for each in english:
            assert each in page, (name, each)
        for each in absent:
            assert each not in page, (name, each)
        page = words_of(stage.get(path, params={"lang": "zh"}))
        for each in chinese:
            assert each in page, (name, each)


def test_a_time_is_held_then_taken(stage: Stage) -> None:
    page = words_of(stage.get("/time"))
    third = re.findall(r'name="start" value="([^"]+)"', page)[2]
    page = words_of(stage.post("/time/hold", start=third))
    assert f'value="{third}"' in page.partition("Book this time")[0]
    assert stage.conn.execute("select until - made from slot_hold").fetchall() == [(states.MINUTE * 10,)]
    other = re.findall(r'<button class="pick" name="start" value="([^"]+)"', page)[0]
    page = words_of(stage.post("/time/hold", start=other))
    assert f'<input type="hidden" name="start" value="{other}"' in page
    page = words_of(stage.post("/time", start=other))
    assert "Your time is booked" in page
    assert "How do we get in?" in page
    visit = states.live(stage.conn, stage.seeded)
    assert (visit.start.isoformat(), visit.state) == (other.replace("Z", "+00:00"), "confirmed")
    assert stage.conn.execute("select count(*) from slot_hold").fetchone() == (0,)


def test_a_time_that_has_gone_leaves_a_fresh_list_in_its_place(stage: Stage) -> None:
    chosen = re.findall(r'name="start" value="([^"]+)"', stage.get("/time").text)[1]
    states.nobody(stage.conn, stage.seeded)
    for path in ("/time/hold", "/time"):
        page = words_of(stage.post(path, start=chosen))
        assert "That window has just gone" in page
        assert "Nothing was booked." in page
        assert chosen not in page
    assert "We call you" in stage.post("/call-me").text
    rows = stage.conn.execute("select reason, state from call_task where reason = 'call_me'").fetchall()
    assert rows == [("call_me", "open")]
    # Whoever taps twice is called once.
    stage.post("/call-me")
    assert stage.conn.execute("select count(*) from call_task where reason = 'call_me'").fetchone() == (1,)


def test_who_missed_a_visit_picks_a_first_one_again(stage: Stage) -> None:
    stage.enter(states.missed)
    start = re.findall(r'name="start" value="([^"]+)"', stage.get("/time").text)[0]
    assert "Kept for you" in stage.post("/time/hold", start=start).text
    assert "Your time is booked" in stage.post("/time", start=start).text
    assert states.live(stage.conn, stage.seeded).state == "confirmed"
    ticket = states.office(stage.conn).desk.tickets.get(stage.seeded.ticket)
    assert ticket.state is TicketState.PLANNED


def test_answers_are_kept_for_the_household_and_shown_on_the_day(stage: Stage) -> None:
    page = words_of(stage.post("/confirm", visit=str(stage.seeded.visit)))
    assert "Visit confirmed" in page
    page = words_of(stage.post("/access", entry="code 4711", pets="<b>two dogs</b>", adult="no"))
    for each in ("Thank you for the answers", "code 4711", "&lt;b&gt;two dogs&lt;/b&gt;", "Nobody: we call you before"):
        assert each in page, each
    assert 'value="code 4711"' in words_of(stage.get("/access"))
    kept = "select jsonb_object_keys(body) from ticket_event where kind = 'access'"
    assert stage.conn.execute(kept).fetchall() == [("visit",)]
    tokens = stage.seeded.tokens
    path = f"/v1/visits/{stage.seeded.visit}/access"

    def read(role: str) -> dict[str, object]:
        answer = stage.ask("GET", path, headers={"Authorization": f"Bearer {tokens[role]}"})
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body

    assert (read("owner")["entry"], read("owner")["adult"]) == ("code 4711", False)
    who = states.live(stage.conn, stage.seeded).technician
    stage.conn.execute("update access_token set technician = %s where role = 'technician'", (str(who),))
    assert (read("technician")["shown"], read("technician")["entry"]) == (False, "")
    states.window(stage.conn, stage.seeded, NOW + states.MINUTE * 60)
    assert (read("technician")["shown"], read("technician")["entry"]) == (True, "code 4711")
    # Another time asks anew who is at home, and remembers the door.
    states.window(stage.conn, stage.seeded, NOW + states.MINUTE * 60 * 24 * 3)
    stage.conn.execute("update visit set confirmed = %s", (NOW,))
    start = re.findall(r'name="start" value="([^"]+)"', stage.get("/time").text)[0]
    page = stage.post("/time", start=start).text
    assert 'value="code 4711"' in page
    assert "checked" not in page


def test_a_cancelled_visit_needs_a_reason_and_the_cut_off_holds(stage: Stage) -> None:
    stage.enter(states.confirmed)
    bare = stage.ask("POST", f"{stage.seeded.alert}/cancel", data={"visit": str(stage.seeded.visit)})
    assert bare.status_code == 422
    assert "You called it off" in stage.post("/cancel", visit=str(stage.seeded.visit), reason="away").text
    stage.enter(states.closed)
    for path, form in (("/cancel", {"reason": "away"}), ("/time", {"start": "2026-11-20T00:00:00+00:00"})):
        page = stage.post(path, visit=str(stage.seeded.visit), **form)
        assert "That is no longer possible" in page.text, path
    assert states.live(stage.conn, stage.seeded).state == "confirmed"
    owner = {"Authorization": f"Bearer {stage.seeded.tokens['owner']}"}
    late = stage.ask(
        "POST", f"/v1/visits/{stage.seeded.visit}/windows", json={"start": "2026-11-20T00:00:00Z"}, headers=owner
    )
    assert (late.status_code, late.json()["type"].rsplit("/", 1)[1]) == (409, "illegal-move")


def test_a_position_is_only_there_on_the_way_and_ends_on_arrival(stage: Stage) -> None:
    stage.enter(states.travelling)
    assert stage.conn.execute("select count(*) from technician_position").fetchone() == (1,)
    assert "Last seen" in stage.get("/visit").text
    stage.enter(states.on_site)
    assert stage.conn.execute("select count(*) from technician_position").fetchone() == (0,)
    assert "Last seen" not in stage.get("/visit").text


def test_the_conversation_has_no_notes_by_any_way(stage: Stage) -> None:
    stage.enter(states.answered)
    owner = {"Authorization": f"Bearer {stage.seeded.tokens['owner']}"}
    path = f"/v1/tickets/{stage.seeded.ticket}"
    items = stage.ask("GET", f"{path}/messages", headers=owner).json()["items"]
    assert [(each["by"], each["words"]) for each in items] == [
        ("owner", "Do you bring a new fan?"),
        ("service", "Yes, it lies in the van."),
    ]
    assert "for our own eyes" not in stage.ask("GET", path, headers=owner).text
    admin = {"Authorization": f"Bearer {stage.seeded.tokens['admin']}"}
    assert "for our own eyes" in stage.ask("GET", path, headers=admin).text


def test_inside_wechat_nothing_is_downloaded(stage: Stage) -> None:
    stage.enter(states.answered)
    page = words_of(stage.get("/visit", params={"lang": "zh"}, headers={"User-Agent": WECHAT}))
    assert ".ics" not in page
    assert "在浏览器打开" in page
    file = stage.get("/visit.ics", headers={"User-Agent": WECHAT})
    assert (file.status_code, file.headers["location"].partition("?")[0]) == (303, f"{stage.seeded.alert}/visit")
    assert stage.get("/visit.ics").headers["content-type"].startswith("text/calendar")


def test_a_calendar_entry_moves_with_its_visit(stage: Stage) -> None:
    def entry() -> dict[str, str]:
        text = stage.get("/visit.ics").text
        return dict(re.findall(r"^(UID|SEQUENCE|STATUS):(.+?)\r?$", text, re.MULTILINE))

    first = entry()
    assert first["STATUS"] == "TENTATIVE"
    start = re.findall(r'name="start" value="([^"]+)"', stage.get("/time").text)[1]
    stage.post("/time", start=start)
    assert entry() == {"UID": first["UID"], "SEQUENCE": "1", "STATUS": "CONFIRMED"}
    stage.post("/cancel", visit=str(states.live(stage.conn, stage.seeded).id), reason="away")
    assert entry()["STATUS"] == "CANCELLED"


def test_the_cost_is_what_a_quote_would_say(stage: Stage) -> None:
    assert "Nothing to pay" in stage.get("").text
    stage.conn.execute("update device set warranty_until = '2026-10-20'")
    page = stage.get("").text
    told = stage.ask(
        "GET",
        f"/v1/tickets/{stage.seeded.ticket}/estimate",
        headers={"Authorization": f"Bearer {stage.seeded.tokens['owner']}"},
    ).json()
    low, high = (round(float(told[name]), 2) for name in ("low", "high"))
    assert f"¥{low:g}–{high:g}" in page
    assert "we pay a part of the bill" in page
    assert "The warranty ended less than three months ago: we pay half." in page


def test_the_door_code_is_the_same_on_both_sides(stage: Stage) -> None:
    stage.enter(states.confirmed)
    code = door_code(stage.seeded.visit)
    assert re.fullmatch(r"\d{4}", code)
    assert f"<output>{code}</output>" in stage.get("/visit").text


def test_a_link_stands_in_no_log_no_measurement_and_no_referrer(
    http: httpx.Client, seeded: Seeded, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = seeded.link[:-4] + "wxyz"
    for path in ("", "/visit", "/time", "/access", "/visit.ics"):
        for secret in (seeded.link, wrong):
            answer = http.get(f"/o/{secret}{path}")
            if "html" in answer.headers.get("content-type", ""):
                assert answer.headers["referrer-policy"] == "no-referrer", path
                assert '<meta name="referrer" content="no-referrer">' in answer.text
    sent = http.post(f"{seeded.alert}/message", data={"words": "hello"})
    assert sent.status_code == 303
    with connect(database_url, application="test") as conn:
        conn.execute("alter table visit_presence rename to nowhere")
    assert http.get(f"{seeded.alert}/access").status_code in (500, 503)
    assert seeded.link not in http.get("/metrics").text
    told = capfd.readouterr()
    assert "a request failed" in told.out + told.err
    for secret in (seeded.link, wrong):
        assert secret not in told.out + told.err
