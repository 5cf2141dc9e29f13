"""The ladder on the real queue: a mail server that is away, an Apprise target that takes over."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from servicedesk.level_rows import ContactChannel
from stack.process import free_port
from storage.desk import PgDesk
from tests.servicedesk.acceptance.doors import HookDoor
from tests.servicedesk.world import finding
from tests.worker_desk.shop import Shop
from tests.worker_desk.test_jobs import Running, states


def test_a_mail_server_that_is_away_is_noted_and_the_second_channel_tells_the_owner(shop: Shop) -> None:
    hook = HookDoor()
    row = ContactChannel(id=UUID(int=21), org="demo", household=shop.household, url=hook.url)
    PgDesk(shop.conn).levels.reach.add_channel(row)
    shop.conn.commit()
    try:
        with Running(shop, f"smtp://127.0.0.1:{free_port()}") as running:
            ticket = shop.report(finding())
            assert ticket is not None
            running.until(lambda: states(shop, "select count(*) from channel_outage where ended is null") == [1])
            shop.now += timedelta(minutes=16)
            warned = "select count(*) from ticket_event where kind = 'channel_down'"
            running.until(lambda: states(shop, warned) == [1])
            shop.now += timedelta(minutes=50)
            running.until(lambda: states(shop, "select channel, state from notice") == [("chat", "sent")])
            (post,) = hook.posts
            assert states(shop, "select subject from notice") == [post["title"]]
            assert states(shop, "select count(*) from notice_attempt") == [2]
    finally:
        hook.close()
