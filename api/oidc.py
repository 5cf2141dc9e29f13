"""Sign-in elsewhere: OpenID Connect's authorization code flow with PKCE, state and nonce (RFC 7636).

What the way there needs on the way back travels in a signed cookie of ten minutes, so that no session exists before
somebody has signed in. Nothing that the browser brings is believed: the code is exchanged by us, the identity token's
signature, issuer, audience, times and nonce are checked.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.settings import Settings
from telemetry.errors import WellkeptError

COOKIE_AGE_S = 600
_ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
_LEEWAY_S = 60
_PATIENCE_S = 10.0
_SCOPE = "openid profile email"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SignInError(WellkeptError):
    """The sign-in elsewhere did not work; the message is for the log, never for the browser."""


class Journey(msgspec.Struct, frozen=True):
    """What is remembered while somebody signs in elsewhere.

    Attributes:
        state: comes back with the answer.
        nonce: comes back inside the identity token.
        verifier: proves that whoever exchanges the code asked for it.
        to: where the person wanted to go.
        made: wall time, Unix seconds.
    """

    state: str
    nonce: str
    verifier: str
    to: str
    made: float


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in.

    Attributes:
        subject: issuer and subject, `issuer#subject`: a subject is an issuer's own.
        name: as the issuer calls them.
        claims: everything that was said and signed.
    """

    subject: str
    name: str
    claims: Mapping[str, Any]


def seal(journey: Journey, key: bytes) -> str:
    """A journey as a cookie's value, signed."""
    body = msgspec.json.encode(journey)
    return base64.urlsafe_b64encode(_mac(key, body) + body).decode()


def unseal(value: str, key: bytes, now: datetime) -> Journey:
    """The journey of a cookie.

    Raises:
        SignInError: it is not ours, or too old.
    """
    try:
        raw = base64.urlsafe_b64decode(value)
        mac, body = raw[:32], raw[32:]
        if not hmac.compare_digest(mac, _mac(key, body)):
            raise SignInError("the cookie of the sign-in was not made here")
        journey = msgspec.json.decode(body, type=Journey)
    except (binascii.Error, ValueError, msgspec.DecodeError) as cause:
        raise SignInError("the cookie of the sign-in cannot be read") from cause
    if not 0 <= now.timestamp() - journey.made <= COOKIE_AGE_S:
        raise SignInError("the sign-in took too long")
    return journey


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"wellkept sign-in" + body, "sha256")


class Provider:
    """The organisation's own sign-in.

    Args:
        settings: name the issuer and how we are known there.
        transport: of requests to it; the network when absent.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret
        self._transport = transport
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self._keys: KeySet | None = None

    def journey(self, to: str, now: datetime) -> Journey:
        """Begin: fresh secrets."""
        return Journey(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), to, now.timestamp()
        )

    def address(self, journey: Journey, back: str) -> str:
        """Where the browser goes to sign in.

        Raises:
            SignInError: the provider does not answer, or not as one.
        """
        url: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            client_id=self._client_id,
            response_type="code",
            redirect_uri=back,
            scope=_SCOPE,
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
        return url

    def identify(self, journey: Journey, back: str, code: str, now: datetime) -> Identity:
        """Exchange the code and check what comes for it.

        Raises:
            SignInError: the provider refuses, or what it gives does not hold.
        """
        form = prepare_token_request("authorization_code", redirect_uri=back, code=code, code_verifier=journey.verifier)
        given = self._ask("POST", self._endpoint("token_endpoint"), content=form)
        claims = self._claims(str(given.get("id_token", "")), journey, now)
        name = next((str(claims[each]) for each in ("name", "preferred_username", "email") if claims.get(each)), "")
        return Identity(f"{self._issuer}#{claims['sub']}", name or str(claims["sub"]), claims)

    def _claims(self, token: str, journey: Journey, now: datetime) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._key_set(), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                # The provider may have changed its keys since.
                found = jwt.decode(token, self._key_set(fresh=True), algorithms=_ALGORITHMS)
            rules = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self._issuer_as_told()},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": journey.nonce},
            )
            rules.validate(found.claims)
        except (JoseError, ValueError) as cause:
            raise SignInError(f"the identity token does not hold: {cause}") from cause
        claims: dict[str, Any] = dict(found.claims)
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._client_id:
            raise SignInError("the identity token was made for somebody else")
        return claims

    def _issuer_as_told(self) -> str:
        return str(self._discovered()["issuer"])

    def _endpoint(self, name: str) -> str:
        return _safe(str(self._discovered().get(name, "")))

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            if not self._known:
                found = self._ask("GET", f"{self._issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != self._issuer:
                    raise SignInError(f"the provider calls itself {str(found.get('issuer'))[:200]!r}")
                self._known = found
            return self._known

    def _key_set(self, *, fresh: bool = False) -> KeySet:
        address = self._endpoint("jwks_uri")
        with self._lock:
            if self._keys is None or fresh:
                given: Any = self._ask("GET", address)
                self._keys = KeySet.import_key_set(given)
            return self._keys

    def _ask(self, method: str, address: str, content: str | None = None) -> dict[str, Any]:
        """One request; whoever sends a form says who we are."""
        # As RFC 6749, section 2.3.1, writes them.
        known = None if content is None else (quote_plus(self._client_id), quote_plus(self._secret))
        form = None if content is None else {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            with httpx.Client(transport=self._transport, timeout=_PATIENCE_S) as client:
                answer = client.request(method, _safe(address), content=content, headers=form, auth=known)
                found: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as cause:
            raise SignInError(f"{address[:200]} does not answer as expected: {type(cause).__name__}") from cause
        return found


def _safe(address: str) -> str:
    """An address that is https, or on this machine.

    Raises:
        SignInError: it is neither.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return address
    raise SignInError(f"{address[:200]!r} is not an https address")


def role_by(claims: Mapping[str, Any], mapping: str) -> str | None:
    """The role that a setting gives to somebody new, or None.

    Args:
        claims: what the provider said.
        mapping: `groups:wk-dispatch=dispatcher,wk-admin=admin`; the first that fits.
    """
    claim, _, pairs = mapping.partition(":")
    held = claims.get(claim)
    values = {str(each) for each in held} if isinstance(held, list) else {str(held)} if held is not None else set()
    for pair in pairs.split(","):
        value, _, role = pair.strip().partition("=")
        if value and value in values:
            return role
    return None
