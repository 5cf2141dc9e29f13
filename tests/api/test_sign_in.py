"""Staff sign in: by password, or with their organisation; cookies, sessions, and how often one may try."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.app import create_app
from api.oidc import role_by
from api.settings import Settings
from storage.access import Role, create_staff, find_staff_by_subject, link_subject
from storage.pool import connect
from telemetry.clock import MICROS, to_datetime
from tests.api.case import WALL, Seeded
from tests.api.inside import Inside
from tests.api.provider import CLIENT, SECRET, Issuer, provider

NOW = WALL // MICROS
HERE = "http://desk.test"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with provider(
        NOW, {"sub": "u-17", "name": "Dora Lind", "preferred_username": "Dora.Lind", "groups": ["a"]}
    ) as made:
        yield made


@pytest.fixture
def client(database_url: str, issuer: Issuer) -> Iterator[Inside]:
    settings = Settings(
        database_url=database_url,
        pool_size=2,
        oidc_issuer=issuer.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_roles="groups:desk=dispatcher,root=admin",
    )
    app = create_app(settings, wall=lambda: WALL)
    with Inside(app, keep=True) as made:
        yield made
    app.state.context.pool.close()


def cookies(answer: httpx.Response) -> SimpleCookie:
    jar = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return jar


def there(client: Inside) -> tuple[str, str]:
    """Go to the provider. Returns the cookie and the address to which it sends the browser back."""
    begun = client.request("GET", "/login/oidc?to=/tickets/WK-1001")
    assert begun.status_code == 303, begun.text
    journey = cookies(begun)["wk_signin"]
    assert journey["httponly"]
    assert (journey["samesite"], journey["path"]) == ("lax", "/login/oidc")
    sent = httpx.get(begun.headers["location"])
    back = sent.headers["location"]
    assert back.startswith(f"{HERE}/login/oidc/callback?code=")
    return f"wk_signin={journey.value}", back.removeprefix(HERE)


def test_who_is_linked_signs_in_with_their_organisation(client: Inside, issuer: Issuer, database_url: str) -> None:
    assert "Sign in with your organisation" in client.request("GET", "/login").text
    with connect(database_url, application="test") as conn:
        create_staff(conn, "dora", now=to_datetime(WALL), role=Role.DISPATCHER)
        assert link_subject(conn, "dora", f"{issuer.url}#u-17")
        assert not link_subject(conn, "nobody", "x#y")
    cookie, back = there(client)
    done = client.request("GET", back, headers={"Cookie": cookie})
    assert (done.status_code, done.headers["location"]) == (303, "/tickets/WK-1001")
    session = cookies(done)["wk_session"].value
    page = client.request("GET", "/tickets/WK-1001", headers={"Cookie": f"wk_session={session}"})
    assert page.status_code == 200
    # The code was for once, and so was the journey's cookie.
    assert not cookies(done)["wk_signin"].value
    again = client.request("GET", back, headers={"Cookie": cookie})
    assert again.status_code == 403
    assert issuer.exchanged == 1


def test_who_is_not_linked_gets_in_by_the_setting_alone(client: Inside, issuer: Issuer, database_url: str) -> None:
    cookie, back = there(client)
    stranger = client.request("GET", back, headers={"Cookie": cookie})
    assert stranger.status_code == 403
    assert "nobody has given you access" in stranger.text
    assert "wk_session" not in cookies(stranger)
    issuer.person["groups"] = ["else", "desk"]
    cookie, back = there(client)
    assert client.request("GET", back, headers={"Cookie": cookie}).status_code == 303
    with connect(database_url, application="test") as conn:
        person = find_staff_by_subject(conn, f"{issuer.url}#u-17")
    assert person is not None
    assert (person.role, person.name) == ("dispatcher", "Dora Lind")
    assert person.login.startswith("dora.lind-")


@pytest.mark.parametrize(
    "twist",
    [
        {"nonce": "another"},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"]},
        {"iss": "https://evil.example"},
        {"exp": NOW - 120},
        {"iat": NOW + 600},
        {"sub": None},
    ],
    ids="-".join,
)
def test_a_token_that_does_not_hold_opens_nothing(
    client: Inside, issuer: Issuer, database_url: str, twist: dict[str, object]
) -> None:
    with connect(database_url, application="test") as conn:
        create_staff(conn, "dora", now=to_datetime(WALL))
        link_subject(conn, "dora", f"{issuer.url}#u-17")
    issuer.twist = twist
    cookie, back = there(client)
    refused = client.request("GET", back, headers={"Cookie": cookie})
    assert refused.status_code == 403
    assert "wk_session" not in cookies(refused)
    assert "did not work" in refused.text


def test_answers_that_nobody_asked_for_open_nothing(client: Inside, issuer: Issuer) -> None:
    cookie, back = there(client)
    assert client.request("GET", back).status_code == 403  # the browser of somebody else
    assert client.request("GET", back.replace("state=", "state=x"), headers={"Cookie": cookie}).status_code == 403
    assert client.request("GET", back, headers={"Cookie": cookie[:-4] + "AAAA"}).status_code == 403
    assert client.request("GET", "/login/oidc/callback?error=access_denied").status_code == 403
    assert issuer.exchanged == 0
    issuer.foreign = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    assert client.request("GET", back, headers={"Cookie": cookie}).status_code == 403
    assert issuer.exchanged == 1


def test_roles_by_claim() -> None:
    assert role_by({"groups": ["x", "root"]}, "groups:desk=dispatcher,root=admin") == "admin"
    assert role_by({"groups": "desk"}, "groups:desk=dispatcher") == "dispatcher"
    assert role_by({"groups": ["x"]}, "groups:desk=dispatcher") is None
    assert role_by({"groups": ["x"]}, "") is None


def test_without_the_setting_there_is_no_such_sign_in(module_url: str) -> None:
    app = create_app(Settings(database_url=module_url, pool_size=2), wall=lambda: WALL)
    with Inside(app) as client:
        assert "Sign in with your organisation" not in client.request("GET", "/login").text
        assert client.request("GET", "/login/oidc").status_code == 404
        assert client.request("GET", "/login/oidc/callback").status_code == 404
    app.state.context.pool.close()


def test_over_https_the_cookie_is_this_hosts_alone_and_each_login_has_a_new_session(
    database_url: str, seeded: Seeded
) -> None:
    made = Settings(database_url=database_url, pool_size=2, public_url="https://desk.test")
    app = create_app(made, wall=lambda: WALL)
    form = {"login": "ana", "password": seeded.staff, "to": "//evil.example"}
    with Inside(app, keep=True) as client:
        first = client.request("POST", "/login", data=form)
        assert (first.status_code, first.headers["location"]) == (303, "/dispatch")
        name = "__Host-wk_session"
        cookie = cookies(first)[name]
        assert cookie["secure"]
        assert cookie["httponly"]
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "lax")
        assert client.request("GET", "/mailbox", headers={"Cookie": f"{name}={cookie.value}"}).status_code == 200
        # A cookie that another host may have set opens nothing here.
        assert client.request("GET", "/mailbox", headers={"Cookie": f"wk_session={cookie.value}"}).status_code == 303
        second = client.request("POST", "/login", data=form, headers={"Cookie": f"{name}={cookie.value}"})
        assert cookies(second)[name].value != cookie.value
        assert client.request("GET", "/mailbox", headers={"Cookie": f"{name}={cookie.value}"}).status_code == 303
    app.state.context.pool.close()


def test_tries_are_counted_by_login_and_by_address(module_url: str, seeded: Seeded) -> None:
    made = Settings(database_url=module_url, pool_size=2, trusted_proxies="127.0.0.1")
    app = create_app(made, wall=lambda: WALL)

    with Inside(app) as client:

        def attempt(login: str, address: str, password: str = "") -> httpx.Response:
            headers = {"X-Forwarded-For": f"10.9.9.9, {address}"}
            return client.request(
                "POST", "/login", data={"login": login, "password": password or "wrong"}, headers=headers
            )

        for _ in range(4):
            app.state.throttle.failed("ana", to_datetime(WALL))
        assert [attempt("ana", f"192.0.2.{i}").status_code for i in range(2)] == [403, 429]
        refused = attempt("ana", "192.0.2.99", seeded.staff)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        for _ in range(19):  # each real one costs a password's hash
            app.state.address_throttle.failed("198.51.100.7", to_datetime(WALL))
        assert [attempt(f"p{i}", "198.51.100.7").status_code for i in range(2)] == [403, 429]
        assert attempt("p99", "198.51.100.8").status_code == 403
    app.state.context.pool.close()


def test_who_tries_links_must_wait_and_a_link_has_its_share(module_url: str, seeded: Seeded) -> None:
    app = create_app(Settings(database_url=module_url, pool_size=2), wall=lambda: WALL)
    with Inside(app) as client:
        answers = [client.request("GET", f"/o/{i:032d}").status_code for i in range(31)]
        assert answers == [404] * 30 + [429]
        refused = client.request("GET", "/o/another")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert client.request("GET", seeded.alert).status_code == 200, "a link that opens something is not refused"
        app.state.link_limits._rate, app.state.link_limits._holds = 1.0, 2.0
        app.state.link_limits._buckets.clear()
        shares = [client.request("GET", seeded.alert) for _ in range(3)]
        assert [each.status_code for each in shares] == [200, 200, 429]
        assert shares[-1].headers["retry-after"] == "1"
    app.state.context.pool.close()
