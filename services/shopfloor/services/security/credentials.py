"""What callers show: a token in the Authorization header, a user and password, or the cookie of a session."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from shopfloor.services.security.sessions import COOKIE


def bearer(headers: Mapping[str, str], *schemes: str) -> str:
    """Token of the Authorization header under one of the schemes (by default Bearer), or "".

    >>> bearer({"authorization": "Token abc"}, "bearer", "token")
    'abc'
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in (schemes or ("bearer",)) else ""


def password(headers: Mapping[str, str], query: str) -> str:
    """Password of HTTP Basic, or of the parameter `p` as clients of InfluxDB 1 send it, or "".

    >>> password({"authorization": "Basic dTpw"}, ""), password({}, "u=me&p=secret")
    ('p', 'secret')
    """
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return parse_qs(query).get("p", [""])[-1] if "p=" in query else ""


def cookie(headers: Mapping[str, str]) -> str:
    """Value of the session cookie, or ""."""
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""
