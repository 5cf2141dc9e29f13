"""A small OpenID provider on the loopback: discovery, authorization codes with PKCE, signed identity tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "wellkept", "s3cret of the desk"


@dataclass
class Issuer:
    """What the provider says, and what it was asked.

    Attributes:
        person: claims of whoever signs in.
        twist: changes claims before they are signed.
        key: signs; `foreign` signs instead when set, without being published.
    """

    url: str
    now: int
    person: dict[str, Any]
    twist: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    foreign: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanged: int = 0

    def token_for(self, asked: dict[str, str]) -> str:
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.twist,
        }
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.foreign or self.key)


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        parts, issuer = urlsplit(self.path), self.issuer
        match parts.path:
            case "/.well-known/openid-configuration":
                self._answer(
                    {
                        "issuer": issuer.url,
                        "authorization_endpoint": f"{issuer.url}/authorize",
                        "token_endpoint": f"{issuer.url}/token",
                        "jwks_uri": f"{issuer.url}/keys",
                    }
                )
            case "/keys":
                self._answer({"keys": [issuer.key.as_dict(private=False)]})
            case "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                assert asked["response_type"] == "code"
                assert asked["code_challenge_method"] == "S256"
                assert "openid" in asked["scope"].split()
                code = f"code-{len(issuer.codes)}"
                issuer.codes[code] = asked
                back = urlencode({"code": code, "state": asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        issuer = self.issuer
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        asked = issuer.codes.pop(form["code"][0], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest())
        fits = asked is not None and proof.decode().rstrip("=") == asked["code_challenge"]
        if (
            asked is None
            or not fits
            or given != f"{CLIENT}:{quote_plus(SECRET)}"
            or form["redirect_uri"][0] != asked["redirect_uri"]
        ):
            self._answer({"error": "invalid_grant"}, 400)
            return
        issuer.exchanged += 1
        self._answer({"access_token": "x", "token_type": "Bearer", "id_token": issuer.token_for(asked)})

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:  # its own log is of no use here
        return


@contextmanager
def provider(now: int, person: dict[str, Any]) -> Iterator[Issuer]:
    """The provider, for as long."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}", now, person)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Handler.issuer
    server.shutdown()
    server.server_close()
    thread.join(5)
