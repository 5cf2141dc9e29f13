"""Webhooks as they leave: to a real receiver on the loopback, signed, in time, in order, and to no private address."""

from __future__ import annotations

import json
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from servicedesk.hook_address import AddressError, Resolve, judge, read_allowed, read_target
from servicedesk.hook_rows import DeliveryState, HookState, Webhook
from servicedesk.hook_tries import SCHEDULE
from servicedesk.hooks import OVERLAP, Act, Wishes, change, ping, register, rotate, secret_text
from servicedesk.ports_hooks import Hooks
from storage.api_events import begin_anew, number
from storage.desk_agenda import open_due
from storage.desk_hooks import tidy, wake_due
from tests.servicedesk.world import START
from tests.worker_desk.shop import Shop
from worker.hook_post import Poster
from worker.hooks import Sender

LOOPBACK = read_allowed("127.0.0.0/8, ::1/128")
SECRET = bytes(range(32))
_JOBS = "select args->>'webhook' from procrastinate_jobs where task_name = 'send_webhook' and status = 'todo'"


@dataclass
class Receiver:
    """Somebody else's server: keeps what it is sent, and answers what it is told to."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    slowly: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            with suppress(OSError):
                while told.slowly:
                    self.wfile.write(b"H")
                    time.sleep(0.02)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(b"thank you\0 " + b"x" * 2_000)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/hook?from=wellkept"
    yield told
    told.slowly = False
    server.shutdown()
    server.server_close()
    thread.join(5)


@dataclass
class Office:
    """The worker's side on a real database, its wall clock moved by hand."""

    shop: Shop
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    timeout: float = 5.0

    @property
    def sender(self) -> Sender:
        def office(conn: Any) -> Any:  # noqa: ANN401  (the shop's own)
            return self.shop.office(conn)

        poster = Poster(LOOPBACK, timeout=self.timeout)
        return Sender(lambda: _Committed(self.shop), office, lambda: self.wall, lambda: START, poster, random.Random(1))

    @property
    def act(self) -> Act:
        return Act("staff:ana", self.wall, START)

    def hook(self, url: str) -> Webhook:
        made = register(self.shop.office(), "demo", Wishes(url=url), SECRET, self.act)
        self.shop.conn.commit()
        return made

    def tell(self, kind: str = "ticket") -> None:
        self.shop.conn.execute(
            "insert into api_event (kind, subject, what, state, org, device)"
            " values (%s, 's', 'changed', 'x', 'demo', 1)",
            (kind,),
        )
        assert number(self.shop.conn, self.wall)
        self.shop.conn.commit()

    def jobs(self) -> list[str]:
        found = [str(row[0]) for row in self.shop.conn.execute(_JOBS)]
        self.shop.conn.commit()
        return found


class _Committed:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def __enter__(self) -> Any:  # noqa: ANN401  (a connection)
        return self.shop.conn

    def __exit__(self, kind: object, *_: object) -> None:
        self.shop.conn.rollback() if kind else self.shop.conn.commit()


@pytest.fixture
def office(shared_shop: Shop) -> Iterator[Office]:
    yield Office(shared_shop)
    shared_shop.conn.rollback()
    shared_shop.conn.execute("delete from webhook")
    shared_shop.conn.execute("delete from procrastinate_jobs")
    shared_shop.conn.commit()


def test_what_arrives_is_signed_in_order_and_names_nobody(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    for kind in ("ticket", "visit", "quote"):
        office.tell(kind)
    assert office.jobs() == [str(hook.id)]  # one job, left by the transactions that numbered
    assert open_due(office.shop.conn, START - timedelta(days=9)) == 0  # and no clock is held for it
    sent = office.sender.send(hook.id)
    assert [each.state for each in sent] == [DeliveryState.DELIVERED] * 3
    assert (sent[0].status, sent[0].answer[:10], len(sent[0].answer)) == (200, "thank you�", 1_000)
    told = [Verifier(secret_text(SECRET)).verify(body, headers) for headers, body in receiver.got]
    assert [each["type"] for each in told] == [f"wellkept.{k}.changed" for k in ("ticket", "visit", "quote")]
    assert receiver.ids == [each["id"] for each in told]
    assert [each["sequence"] for each in told] == sorted(each["sequence"] for each in told)
    headers, body = receiver.got[0]
    assert headers["content-type"] == "application/cloudevents+json"
    assert b"Li" not in body
    with pytest.raises(WebhookVerificationError):
        Verifier(secret_text(SECRET)).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret_text(bytes(32))).verify(body, headers)


def test_both_secrets_sign_while_they_overlap(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    new = bytes(reversed(SECRET))
    rotate(office.shop.office(), hook.id, new, office.act)
    office.tell()
    office.sender.send(hook.id)
    headers, body = receiver.got[0]
    for secret in (SECRET, new):
        assert Verifier(secret_text(secret)).verify(body, headers)
    office.wall += OVERLAP
    office.tell()
    office.sender.send(hook.id)
    assert len(receiver.got[1][0]["webhook-signature"].split(" ")) == 1


def test_what_fails_is_sent_again_on_schedule_with_the_same_id_and_nothing_overtakes_it(
    office: Office, receiver: Receiver
) -> None:
    hook = office.hook(receiver.url)
    office.tell()
    office.tell()
    receiver.status = 500
    for wait in SCHEDULE[:3]:
        (failed,) = office.sender.send(hook.id)
        assert wait <= failed.due - office.wall <= wait * 1.1
        assert wake_due(office.shop.conn, failed.due - timedelta(seconds=1)) == 0
        assert office.sender.send(hook.id) == []  # not before its time
        office.wall = failed.due
        assert wake_due(office.shop.conn, office.wall) == 1
        office.shop.conn.commit()
    receiver.status = 200
    assert len(office.sender.send(hook.id)) == 2
    assert receiver.ids == [receiver.ids[0]] * 4 + [receiver.ids[4]]
    assert receiver.ids[4] != receiver.ids[0]
    assert len({body for _, body in receiver.got[:4]}) == 1


def test_gone_redirects_and_refused_connections(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    office.tell()
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    (redirected,) = office.sender.send(hook.id)
    assert "redirect (307) is not followed" in redirected.why
    assert len(receiver.got) == 1
    office.wall = redirected.due
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = nobody.getsockname()[1]
    change(office.shop.office(), hook.id, Wishes(url=f"http://127.0.0.1:{closed}/"), office.act)
    (refused,) = office.sender.send(hook.id)
    assert (refused.status, refused.why) == (None, "it refuses the connection")
    receiver.status, receiver.headers = 410, {}
    change(office.shop.office(), hook.id, Wishes(url=receiver.url), office.act)
    (gone,) = office.sender.send(hook.id)
    assert gone.state is DeliveryState.FAILED
    assert office.shop.office().desk.hooks.read(hook.id).state is HookState.DISABLED
    assert office.sender.send(hook.id) == []


def test_an_endpoint_that_answers_a_byte_at_a_time_is_left_in_time(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    office.timeout = 0.3
    receiver.slowly = True
    ping(office.shop.office(), hook.id, office.wall)
    began = time.monotonic()
    (late,) = office.sender.send(hook.id)
    assert time.monotonic() - began < 3
    assert (late.state, late.why) == (DeliveryState.FAILED, "no answer within 0.3 s")


def test_a_worker_that_is_killed_while_it_sends_has_it_sent_again_with_the_same_id(
    office: Office, receiver: Receiver
) -> None:
    hook = office.hook(receiver.url)
    office.tell()
    killed = office.sender
    killed.poster = _Killed(killed.poster.allowed)
    with pytest.raises(SystemExit):
        killed.send(hook.id)
    assert office.sender.send(hook.id) == []  # it may still be on its way
    office.wall += timedelta(seconds=21)
    assert wake_due(office.shop.conn, office.wall) == 1
    office.shop.conn.commit()
    (done,) = office.sender.send(hook.id)
    assert (done.state, done.tries) == (DeliveryState.DELIVERED, 2)
    assert receiver.ids[0] == receiver.ids[1]


class _Killed(Poster):
    """Ends after the message has left and before its answer is written."""

    def post(self, *arguments: Any) -> Any:  # noqa: ANN401  (as the poster's)
        super().post(*arguments)
        raise SystemExit


def test_what_was_settled_long_ago_is_forgotten(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    office.tell()
    office.sender.send(hook.id)
    office.tell()
    later = office.wall + timedelta(days=8)
    assert tidy(office.shop.conn, later)
    assert not tidy(office.shop.conn, later)  # what waits is kept
    assert office.shop.office().desk.hooks.waiting(hook.id) == 1


def test_after_a_restore_endpoints_are_told_that_changes_may_be_missing(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    office.tell()
    begin_anew(office.shop.conn, office.wall)
    office.shop.conn.commit()
    office.tell()
    office.sender.send(hook.id)
    types = [json.loads(body)["type"] for _, body in receiver.got]
    assert types == ["wellkept.ticket.changed", "wellkept.feed.reset", "wellkept.ticket.changed"]
    assert receiver.ids == sorted(receiver.ids, key=lambda each: int(each.rpartition("-")[2]))


NEVER = """
127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.170.2
100.64.0.1 100.100.100.200 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 240.0.0.1
255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::127.0.0.1 fe80::1 fe80::1%eth0 fec0::1
fc00::1 fd00:ec2::254 ff02::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::
2001::1 2001:db8::1 192.88.99.1
"""
PUBLIC = ("93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "::ffff:93.184.215.14")


def said(*addresses: str) -> Resolve:
    """A name service that says so of every name."""
    return lambda _host, _port: addresses


@pytest.mark.parametrize("address", NEVER.split())
def test_no_private_address_is_sent_to(address: str) -> None:
    with pytest.raises(AddressError, match="not at a public address"):
        judge(read_target("https://desk.example/"), said(address), ())
    for several in (["93.184.215.14", address], [address, "93.184.215.14"]):
        with pytest.raises(AddressError):
            judge(read_target("https://desk.example/"), said(*several), ())


def test_public_addresses_are_and_so_is_what_the_operator_allows() -> None:
    target = read_target("https://desk.example:8443/a?b=c")
    assert (target.host, target.port, target.path, target.authority) == (
        "desk.example",
        8443,
        "/a?b=c",
        "desk.example:8443",
    )
    for address in PUBLIC:
        assert judge(target, said(address), ())
    inside = read_target("http://desk.internal/")
    assert judge(inside, said("10.20.3.4"), read_allowed("10.20.0.0/16")) == ["10.20.3.4"]
    for addresses in (["10.21.0.1"], ["10.20.3.4", "10.21.0.1"], ["1.1.1.1"], []):
        with pytest.raises(AddressError):
            judge(inside, said(*addresses), read_allowed("10.20.0.0/16"))
    with pytest.raises(AddressError, match="WELLKEPT_WEBHOOK_ALLOW"):
        read_allowed("localhost")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://desk.example/",
        "file:///etc/passwd",
        "https://",
        "https://user:word@desk.example/",
        "https://desk.example/#part",
        "https://desk.example:0/",
        "https://desk.example:99999/",
        "https://desk.example/a b",
        "https://desk.example\\@10.0.0.1/",
        "https://desk.example/\r\nHost: other",
        "https://[::1/",
        "https://desk.example/" + "x" * 2_000,
        "https://dësk.example/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        read_target(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_the_loopback_are_the_loopback(host: str) -> None:
    refused = Poster().post(f"https://{host}/", b"", {})
    assert refused.status is None
    assert "not at a public address" in refused.why or "not known" in refused.why


def test_a_name_that_answers_differently_the_second_time_gains_nothing(receiver: Receiver) -> None:
    """What was judged is what is connected to: the name is asked once for each connection."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

    poster = Poster(LOOPBACK, resolve=rebinding)
    first = poster.post(f"http://rebind.example:{port}/", b"{}", {"webhook-id": "x"})
    assert (first.status, asked) == (200, ["rebind.example"])
    assert receiver.got[0][0]["host"] == f"rebind.example:{port}"
    second = poster.post(f"http://rebind.example:{port}/", b"{}", {"webhook-id": "x"})
    assert "not at a public address" in second.why
    assert len(receiver.got) == 1


def test_a_certificate_is_judged_by_the_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl: install it, a certificate is made with it")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: S603  (our own words)
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-subj",
            "/CN=hook.example",
            "-addext",
            "subjectAltName=DNS:hook.example",
        ],
        check=True,
        capture_output=True,
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        port = server.server_address[1]
        trusting = Poster(
            LOOPBACK, resolve=said("127.0.0.1"), tls=lambda: ssl.create_default_context(cafile=str(certificate))
        )
        assert trusting.post(f"https://hook.example:{port}/", b"{}", {}).status == 204
        other = trusting.post(f"https://other.example:{port}/", b"{}", {})
        assert "certificate is not trusted: Hostname mismatch" in other.why
        strict = Poster(LOOPBACK, resolve=said("127.0.0.1"))
        assert "certificate is not trusted" in strict.post(f"https://hook.example:{port}/", b"{}", {}).why
        server.shutdown()
        thread.join(5)


def test_the_body_is_json_that_a_stranger_reads(office: Office, receiver: Receiver) -> None:
    hook = office.hook(receiver.url)
    ping(office.shop.office(), hook.id, office.wall)
    office.sender.send(hook.id)
    told = json.loads(receiver.got[0][1])
    assert (told["specversion"], told["type"], told["data"]) == ("1.0", "wellkept.test.ping", {"no": 0})


_WORKER = """
import sys, threading
from worker import jobs_main
jobs_main.run(sys.argv[1], threading.Event(), lambda: 0, jobs_main.JobSettings(webhook_allow="127.0.0.0/8"))
"""


@pytest.mark.long
def test_a_worker_process_that_is_killed_while_the_receiver_thinks_is_followed_by_another(
    shop: Shop, receiver: Receiver
) -> None:
    """kill -9 in the middle of a delivery: its job is taken over, and the message comes again with its id."""
    office = Office(shop)
    hook = office.hook(receiver.url)
    receiver.slowly = True
    office.tell()
    with subprocess.Popen([sys.executable, "-c", _WORKER, shop.url]) as first:  # noqa: S603  (our own program)
        _until(lambda: len(receiver.got) == 1)
        first.kill()
    receiver.slowly = False
    with subprocess.Popen([sys.executable, "-c", _WORKER, shop.url]) as second:  # noqa: S603  (likewise)
        _until(lambda: len(receiver.got) == 2)
        _until(lambda: not _committed(office).waiting(hook.id))
        second.kill()
    assert receiver.ids[0] == receiver.ids[1]
    (row,) = _committed(office).deliveries(hook.id)
    assert (row.state, row.tries, row.status) == (DeliveryState.DELIVERED, 2, 200)


def _committed(office: Office) -> Hooks:
    """What others have committed so far."""
    office.shop.conn.rollback()
    return office.shop.office().desk.hooks


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not so():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
