"""Webhooks: both forms of the repository keep the same promises, and the use cases on them what people are told."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from servicedesk.cloud_events import encode, envelope, message_id
from servicedesk.errors import ConflictError, UnknownError
from servicedesk.hook_rows import Answer, Cause, Change, Delivery, DeliveryState, HookState, Webhook
from servicedesk.hook_tries import SCHEDULE, next_up, note
from servicedesk.hooks import (
    OVERLAP,
    Act,
    HookError,
    Wishes,
    change,
    ping,
    register,
    remove,
    replay,
    rotate,
    send_again,
    skip,
)
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from servicedesk.ports import Desk
from servicedesk.ports_hooks import Hooks
from storage.api_events import number, standing
from storage.desk import PgDesk
from telemetry.clock import to_micros
from telemetry.ids import maker
from tests.servicedesk.world import CATALOGUE, START
from tests.worker_desk.shop import Shop

WALL = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
SECRET = bytes(range(32))
DEVICE = (
    "insert into api_event (kind, subject, what, state, org, device, household, ticket)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s)"
)
_TICKET = UUID(int=77)


@dataclass
class Post:
    """A desk of either form, and a feed that is written to by hand; `wall` steps by hand."""

    desk: Desk
    shop: Shop | None
    wall: datetime = WALL
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.office = Office(self.desk, CATALOGUE, maker(lambda: to_micros(START), random.Random(9)))

    @property
    def book(self) -> Hooks:
        return self.desk.hooks

    @property
    def act(self) -> Act:
        return Act("staff:ana", self.wall, START)

    def hook(self, **wishes: Any) -> Webhook:  # noqa: ANN401  (of `Wishes`)
        given = {"url": "https://desk.example/hook"} | wishes
        return register(self.office, "demo", Wishes(**given), SECRET, self.act)

    def tell(self, kind: str = "ticket", org: str = "demo", *, home: bool = True) -> int:
        """A change is committed and numbered. Returns its number."""
        if isinstance(self.desk, MemoryDesk):
            no = next(self.numbers)
            told = Change(
                no=no, org=org, kind=kind, subject="s", what="changed", state="x", at=self.wall, ticket=_TICKET
            )
            self.desk.hooks.tell(told, "North" if home else None)
            return no
        assert self.shop is not None
        household = self.shop.household if home else None
        self.shop.conn.execute("update household set area = 'North' where id = %s", (self.shop.household,))
        row = (kind, "s", "changed", "x", org, self.shop.device.no, household, _TICKET)
        self.shop.conn.execute(DEVICE, row)
        assert number(self.shop.conn, self.wall)
        return standing(self.shop.conn).newest

    def forget(self, upto: int) -> None:
        if isinstance(self.desk, MemoryDesk):
            self.desk.hooks.forgotten = upto
            return
        assert self.shop is not None
        self.shop.conn.execute("delete from api_event where no <= %s", (upto,))
        self.shop.conn.execute("update api_feed set forgotten = %s", (upto,))

    def line(self, hook: Webhook) -> list[Delivery]:
        return self.book.deliveries(hook.id)[::-1]

    def nos(self, hook: Webhook) -> list[int]:
        return [each.event.no for each in self.line(hook)]

    def attempt(self, hook: Webhook, status: int | None, **answer: Any) -> Delivery:  # noqa: ANN401  (of `Answer`)
        turn = next_up(self.book, hook.id, self.wall)
        assert turn is not None
        given = Answer(status=status, took_ms=12, **answer)
        return note(self.office, turn[1], given, self.wall, fleet=START, spread=lambda: 0.0)


@pytest.fixture(params=["memory", "postgres"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    if request.param == "memory":
        yield Post(MemoryDesk(), None)
        return
    shop: Shop = request.getfixturevalue("shared_shop")
    while number(shop.conn, WALL - timedelta(days=1)):
        pass
    yield Post(PgDesk(shop.conn, "http://desk"), shop)
    shop.conn.rollback()


def test_an_endpoint_comes_back_as_it_was_entered(post: Post) -> None:
    hook = post.hook(types=("ticket", "visit", "ticket"), areas=("North",), note="ours")
    assert hook.types == ("ticket", "visit")
    assert post.book.read(hook.id) == post.book.get(hook.id) == hook
    other = register(post.office, "elsewhere", Wishes(url="https://other.example"), SECRET, post.act)
    assert post.book.listed("demo") == [hook]
    assert post.book.listed(None) == [hook, other]
    with pytest.raises(UnknownError):
        post.book.get(uuid.uuid4())
    saved = post.book.save(replace(hook, note="theirs"))
    assert (saved.note, saved.version) == ("theirs", 1)
    with pytest.raises(ConflictError):
        post.book.save(hook)
    with pytest.raises(HookError, match="no kind of change"):
        post.hook(types=("tickets",))


def test_only_what_is_wanted_stands_in_the_line_and_in_the_order_of_numbers(post: Post) -> None:
    every, tickets, north = post.hook(), post.hook(types=("ticket",)), post.hook(areas=("North",))
    paused = post.hook(enabled=False)
    first = post.tell("ticket")
    second = post.tell("visit", home=False)
    third = post.tell("quote")
    post.tell("ticket", org="elsewhere")
    assert post.nos(every) == [first, second, third]
    assert post.nos(tickets) == [first]
    assert post.nos(north) == [first, third]
    assert post.nos(paused) == []
    head = post.book.head(every.id)
    assert head is not None
    assert (head.event.no, head.cause, head.state, head.due) == (first, Cause.CHANGE, DeliveryState.PENDING, WALL)
    assert post.book.waiting(every.id) == 3


def test_the_envelope_tells_ids_and_states_and_is_always_the_same_bytes(post: Post) -> None:
    hook = post.hook()
    no = post.tell("ticket")
    (row,) = post.line(hook)
    told = envelope(row.event)
    assert told == {
        "specversion": "1.0",
        "id": f"change-{no}",
        "source": "urn:wellkept:demo",
        "type": "wellkept.ticket.changed",
        "subject": "s",
        "time": "2026-11-22T05:00:00Z",
        "datacontenttype": "application/json",
        "sequence": f"{no:019d}",
        "partitionkey": str(_TICKET),
        "data": {
            "no": no,
            "type": "ticket",
            "id": "s",
            "what": "changed",
            "state": "x",
            "was": None,
            "href": "/v1/tickets/s",
            "ticket": str(_TICKET),
        },
    }
    assert encode(row.event) == encode(post.line(hook)[0].event)


def test_what_is_taken_is_delivered_and_what_is_not_waits_its_turn_again(post: Post) -> None:
    hook = post.hook()
    nos = [post.tell(), post.tell()]
    waits = []
    for wait in SCHEDULE:
        tried = post.attempt(hook, 500, body="oops")
        assert (tried.state, tried.why, tried.answer) == (DeliveryState.PENDING, "answered 500", "oops")
        assert next_up(post.book, hook.id, tried.due - timedelta(seconds=1)) is None  # and nothing overtakes it
        waits.append(tried.due - post.wall)
        assert waits[-1] == wait
        post.wall = tried.due
    assert post.book.read(hook.id).failing == WALL
    done = post.attempt(hook, 204)
    assert (done.state, done.tries, done.status, done.why) == (DeliveryState.DELIVERED, len(SCHEDULE) + 1, 204, "")
    assert post.book.read(hook.id).failing is None
    assert post.attempt(hook, 200).event.no == nos[1]
    assert next_up(post.book, hook.id, post.wall + timedelta(days=9)) is None
    assert [each.seconds for each in waits[:2]] == [5, 300]


def test_a_later_time_that_is_asked_for_is_kept_up_to_an_hour(post: Post) -> None:
    hook = post.hook()
    post.tell()
    assert post.attempt(hook, 429, later=timedelta(seconds=40)).due == WALL + timedelta(seconds=40)
    post.wall += timedelta(seconds=40)
    assert post.attempt(hook, 503, later=timedelta(days=3)).due == post.wall + timedelta(hours=1)
    post.wall += timedelta(hours=1)
    assert "redirect (302)" in post.attempt(hook, 302).why


def test_an_endpoint_that_is_gone_is_disabled_and_dispatch_is_warned(post: Post) -> None:
    hook = post.hook()
    post.tell()
    last = post.tell()
    assert post.attempt(hook, 410).state is DeliveryState.FAILED
    hook = post.book.read(hook.id)
    assert (hook.state, hook.stopped) == (HookState.DISABLED, last)
    assert "410" in hook.why
    (warning,) = [each for each in post.desk.levels.reach.outages() if each.channel == f"webhook:{hook.id}"]
    assert warning.warned == START
    assert next_up(post.book, hook.id, post.wall) is None
    post.tell()
    assert post.nos(hook)[-1] == last
    with pytest.raises(ConflictError):
        ping(post.office, hook.id, post.wall)
    change(post.office, hook.id, Wishes(enabled=True), post.act)
    assert post.nos(hook)[-2:] == [last, last + 1]  # nothing is lost: it goes on where it stopped
    assert not [each for each in post.desk.levels.reach.outages() if each.channel == f"webhook:{hook.id}"]


def test_an_endpoint_that_takes_nothing_through_the_whole_schedule_is_disabled_and_loses_nothing(post: Post) -> None:
    hook = post.hook()
    no = post.tell()
    for _ in range(len(SCHEDULE) + 1):
        post.wall = post.attempt(hook, None, why="no answer within 15 s").due
    hook = post.book.read(hook.id)
    assert hook.state is HookState.DISABLED
    assert hook.why == "nothing got through in 8 tries; the last: no answer within 15 s"
    change(post.office, hook.id, Wishes(enabled=True, url="https://new.example/"), post.act)
    again = post.attempt(hook, 200)
    assert (again.event.no, again.tries, again.round) == (no, 9, 1)


def test_what_is_forgotten_meanwhile_is_told_as_a_gap(post: Post) -> None:
    hook = post.hook(enabled=False)
    gone, kept = post.tell(), post.tell()
    post.forget(gone)
    change(post.office, hook.id, Wishes(enabled=True), post.act)
    first, second = post.line(hook)
    assert (envelope(first.event)["type"], message_id(first.event)) == ("wellkept.feed.reset", f"reset-{gone}")
    assert second.event.no == kept


def test_a_replay_comes_behind_what_waits_with_the_same_ids(post: Post) -> None:
    hook = post.hook(types=("ticket",))
    nos = [post.tell(), post.tell("visit"), post.tell()]
    assert post.attempt(hook, 200).event.no == nos[0]
    made = replay(post.office, hook.id, post.wall, after=nos[0] - 1)
    assert (made.count, made.gap) == (2, False)
    assert post.nos(hook) == [nos[0], nos[2], nos[0], nos[2]]
    assert len({message_id(each.event) for each in post.line(hook)}) == 2
    assert {each.cause for each in post.line(hook)[2:]} == {Cause.REPLAY}
    assert replay(post.office, hook.id, post.wall, since=post.wall + timedelta(hours=1)).count == 0
    assert replay(post.office, hook.id, post.wall, since=WALL).after == nos[0] - 1
    for wrong in ({}, {"after": 0, "since": WALL}, {"after": nos[2] + 1}, {"after": -1}):
        with pytest.raises(HookError):
            replay(post.office, hook.id, post.wall, **wrong)


def test_one_message_again_a_test_and_one_given_up(post: Post) -> None:
    hook, other = post.hook(), post.hook()
    no = post.tell()
    sent = post.attempt(hook, 200)
    again = send_again(post.office, hook.id, sent.id, post.wall)
    assert (again.event, again.cause, again.id != sent.id) == (sent.event, Cause.REPLAY, True)
    skip(post.office, hook.id, again.id)
    with pytest.raises(ConflictError):
        skip(post.office, hook.id, again.id)
    with pytest.raises(UnknownError):
        skip(post.office, hook.id, post.line(other)[0].id)
    with pytest.raises(UnknownError):
        send_again(post.office, hook.id, uuid.uuid4(), post.wall)
    test = ping(post.office, hook.id, post.wall)
    failed = post.attempt(hook, 500)
    assert (failed.id, failed.state) == (test.id, DeliveryState.FAILED)  # tried once, and no sign of trouble
    assert post.book.read(hook.id).failing is None
    assert envelope(test.event)["type"] == "wellkept.test.ping"
    states = [each.state for each in post.line(hook)]
    assert states == [DeliveryState.DELIVERED, DeliveryState.SKIPPED, DeliveryState.FAILED]
    assert [each.event.no for each in post.book.deliveries(hook.id, state=DeliveryState.DELIVERED)] == [no]
    last = post.line(hook)[-1].place
    assert [each.place < last for each in post.book.deliveries(hook.id, below=last, limit=1)] == [True]


def test_who_was_killed_while_sending_leaves_it_to_be_sent_again(post: Post) -> None:
    hook = post.hook()
    post.tell()
    turn = next_up(post.book, hook.id, post.wall)
    assert turn is not None
    assert next_up(post.book, hook.id, post.wall) is None  # one sends at a time
    later = post.wall + timedelta(seconds=21)
    again = next_up(post.book, hook.id, later)
    assert again is not None
    assert message_id(again[1].event) == message_id(turn[1].event)
    late = note(post.office, turn[1], Answer(status=200, took_ms=1), later, fleet=START, spread=lambda: 0.0)
    assert late.state is DeliveryState.PENDING  # what the first one says no longer counts


def test_a_rotation_overlaps_and_a_removed_endpoint_is_gone(post: Post) -> None:
    hook = post.hook()
    post.tell()
    new = bytes(reversed(SECRET))
    rotated = rotate(post.office, hook.id, new, post.act)
    assert rotated.secrets_at(WALL) == (new, SECRET)
    assert rotated.secrets_at(WALL + OVERLAP) == (new,)
    (row,) = post.line(hook)
    remove(post.office, hook.id, post.act)
    for gone in (lambda: post.book.get(hook.id), lambda: post.book.delivery(row.id)):
        with pytest.raises(UnknownError):
            gone()
