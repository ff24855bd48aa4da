"""A small issuer that signs whatever a test wants it to sign, on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Claims = dict[str, Any]
RSA = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC = ec.generate_private_key(ec.SECP256R1())
CLIENT, SECRET = "shopfloor", "not for the log: 7%f"


def shown(key: Any, kid: str, **more: str) -> dict[str, Any]:
    """A public key as a provider shows it."""
    kind = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


def signed(said: Claims, key: Any = RSA[0], algorithm: str = "RS256", kid: str | None = "one") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a key that is too short is what a test wants
        return jwt.encode(said, key, algorithm, {"kid": kid} if kid else None)


@dataclass
class Issuer:
    """What the issuer says. `token` makes the ID token of a sign-in whose nonce it is given."""

    url: str = ""
    claims: Claims = field(default_factory=lambda: {"sub": "42", "preferred_username": "Dora", "groups": ["lab"]})
    people: Claims = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [shown(RSA[0], "one")])
    offers: Claims = field(default_factory=dict)
    token: Callable[[str], str] | None = None
    nonce: str = ""
    challenge: str = ""
    back: str = ""

    def said(self, nonce: str, **more: Any) -> Claims:
        now = int(time.time())
        return {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims, **more}

    def sign_in(self, address: str) -> dict[str, str]:
        """What a person's browser brings back from the address to which it was sent."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        self.nonce, self.challenge, self.back = asked["nonce"], asked["code_challenge"], asked["redirect_uri"]
        return {"state": asked["state"], "code": "a code"}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            places = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            return 200, {"issuer": self.url, **{key: f"{self.url}/{end}" for key, end in places.items()}, **self.offers}
        if path == "/keys":
            return 200, {"keys": self.keys}
        if path == "/people":
            return 200, self.people or {"sub": self.claims["sub"]}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        wanted = base64.b64encode(b"shopfloor:not%20for%20the%20log%3A%207%25f").decode()
        if authorization != f"Basic {wanted}":
            return 401, {"error": "invalid_client"}
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
        if not proven or form["redirect_uri"] != self.back or form["code"] != "a code":
            return 400, {"error": "invalid_grant"}
        token = self.token(self.nonce) if self.token else signed(self.said(self.nonce))
        return 200, {"id_token": token, "access_token": "for the list of people", "token_type": "Bearer"}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that answers until the block ends."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            form = dict(parse_qsl(self.rfile.read(length).decode()))
            status, said = issuer.answer(self.path, form, self.headers.get("authorization", ""))
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 (the name that the base class looks for)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join(5)
