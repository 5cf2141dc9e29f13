"""The technician's phone without a connection, in a real browser: what is done there arrives once, in its order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from storage.pool import connect
from tests.api.axe import axe_violations
from tests.api.case import Seeded, picture
from tests.api.road import LOGIN, on_the_day

pytestmark = pytest.mark.browser


def phone(browser: Browser, base_url: str, seeded: Seeded) -> tuple[BrowserContext, Page, list[str]]:
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        locale="zh-CN",
        permissions=["geolocation"],
        geolocation={"latitude": 31.2, "longitude": 121.5},
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{base_url}/login?to=/day&lang=zh")
    page.locator("input[name=login]").fill(LOGIN)
    page.locator("input[name=password]").fill(seeded.road)
    page.locator("form button").last.click()
    page.wait_for_url("**/day")
    page.goto(f"{base_url}/day?lang=zh")
    page.locator("main[data-kept]").wait_for()
    return context, page, said


def stored(database_url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(database_url, application="test") as conn:
        return conn.execute(query).fetchall()


def test_a_visit_is_made_without_a_connection_and_arrives_once(
    browser: Browser, base_url: str, seeded: Seeded, database_url: str, tmp_path: Path
) -> None:
    visit = on_the_day(database_url, seeded)
    context, page, said = phone(browser, base_url, seeded)
    photo = tmp_path / "plate.png"
    photo.write_bytes(picture(0x33))
    assert axe_violations(page) == []

    context.set_offline(True)
    page.get_by_role("button", name="出发").click()
    page.get_by_role("button", name="我到了").click()
    page.locator(".plate output").wait_for()
    page.locator("a.stop").click()
    page.wait_for_url(f"**/day/visits/{visit.id}")
    page.locator("#line", has_text="待发送2项").wait_for()
    assert page.get_by_text("code 4711").is_visible()
    assert page.locator("#chip").inner_text().strip() == "维修中"
    page.get_by_text("拔下电源插头").click()
    page.locator("form[data-photo] input[type=file]").set_input_files(photo)
    page.locator("#photos [data-no] img").wait_for()
    assert axe_violations(page) == []
    page.get_by_role("link", name="填写结果").click()
    page.wait_for_url("**/outcome")
    page.get_by_role("radio", name="已修好").check()
    page.get_by_label("确认的原因").select_option("condenser_fan_wear")
    page.get_by_label("新件序列号").first.fill("RF-FAN-120/SN-0042")
    page.get_by_label("新件序列号").first.blur()
    assert page.get_by_label("新件序列号").first.input_value() == "SN-0042"
    assert axe_violations(page) == []
    page.get_by_role("button", name="结束本次上门").click()
    page.wait_for_url(f"**/day/visits/{visit.id}")
    page.reload()
    page.locator("#chip", has_text="已完成").wait_for()
    assert page.locator("#queue li").count() == 5
    assert page.locator(".plate").count() == page.locator(".btn-primary").count() == 1
    assert stored(database_url, "select state from visit") == [("confirmed",)]

    context.set_offline(False)
    page.locator("#queue").wait_for(state="hidden")
    page.locator("#line").wait_for(state="hidden")
    assert page.locator("#chip").inner_text().strip() == "已完成"
    moves = stored(database_url, "select body->>'new' from ticket_event where kind = 'visit' order by id")
    assert [new for (new,) in moves][-4:] == ["dispatched", "travelling", "on_site", "done"]
    assert stored(database_url, "select code, cause, parts from outcome") == [
        ("repaired", "condenser_fan_wear", ["RF-FAN-120"])
    ]
    assert stored(database_url, "select sku, serial from fitted_part") == [("RF-FAN-120", "SN-0042")]
    assert stored(database_url, "select step, done from visit_tick where step like 'safety%'") == [("safety-2", True)]
    assert stored(database_url, "select count(*) from photo where media = 'image/jpeg'") == [(1,)]
    assert stored(database_url, "select count(*) from technician_position") == [(0,)]
    assert said == []
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login")
    assert page.evaluate("caches.keys()") == []
    context.close()


@pytest.mark.long
def test_what_has_moved_on_meanwhile_is_said_and_nothing_is_lost(
    browser: Browser, base_url: str, seeded: Seeded, database_url: str
) -> None:
    visit = on_the_day(database_url, seeded)
    context, page, said = phone(browser, base_url, seeded)
    page.goto(f"{base_url}/day/visits/{visit.id}")

    def lose(route: Route) -> None:
        """The desk hears it; the phone does not hear the answer."""
        assert route.fetch().ok
        route.abort()

    page.route("**/go", lose, times=1)
    page.get_by_role("button", name="出发").click()
    page.locator("#line", has_text="待发送1项").wait_for()
    assert stored(database_url, "select state from visit") == [("travelling",)]
    with page.expect_response("**/position") as followed:
        page.evaluate("dispatchEvent(new Event('online'))")
    assert followed.value.ok
    page.locator("#queue").wait_for(state="hidden")
    way = stored(database_url, "select count(*) from ticket_event where body->>'new' = 'travelling'")
    assert way == [(1,)], "sent twice, done once"
    assert stored(database_url, "select lat, lon from technician_position") == [(31.2, 121.5)]
    context.set_offline(True)
    page.get_by_role("button", name="我到了").click()
    page.locator("#queue li").wait_for()
    with connect(database_url, application="test") as conn:
        conn.execute("update visit set state = 'cancelled', reason = 'owner ill', version = version + 1")
    page.get_by_role("button", name="退出").click()
    assert "没有发出" in page.locator("#line").inner_text()
    context.set_offline(False)
    page.locator("#queue li.refused").wait_for()
    assert "状态已变化" in page.locator("#queue li.refused").inner_text()
    assert "已取消" in page.locator("#queue li.refused").inner_text()
    page.reload()
    assert page.locator("#chip").inner_text().strip() == "已取消"
    assert axe_violations(page) == []
    page.get_by_role("button", name="知道了").click()
    page.locator("#queue").wait_for(state="hidden")
    assert said == []
    context.close()
