"""The site: the compiled pages with history fallback, the offline API docs, the login page, and strict headers."""

from __future__ import annotations

import base64
import gzip
import hashlib
import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WEB: Final = Path(__file__).resolve().parent / "web"
_INLINE: Final = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S | re.I)
_HASHED: Final = re.compile(r"[.-][A-Za-z0-9_-]{8,}\.\w+$")
_HSTS: Final = "max-age=31536000"
_MISSING: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shopfloor</title>
<link rel="stylesheet" href="/web/page.css"><main><h1>The pages are not built</h1><p>{sentence}</p>
<p>The API works: <a href="/docs">/docs</a>.</p></main></html>"""


class Site:
    """Answers every path that the API does not. `folder` is None when the pages were not built."""

    def __init__(self, folder: Path | None, sentence: str = "") -> None:
        self._folder = folder.resolve() if folder else None
        self._sentence = sentence
        self._read = lru_cache(maxsize=256)(_packed)

    def answer(self, path: str, encodings: str = "") -> Response:
        """The file at a path, for a browser that takes these encodings; a path without a file is a page."""
        if self._folder is None:
            return HTMLResponse(_MISSING.format(sentence=_escape(self._sentence)), 503)
        file = _file(self._folder, path.lstrip("/"))
        if file is not None and file.name != "index.html":
            return self._sent(file, _cache(file, self._folder), encodings)
        if _names_file(path):
            return HTMLResponse("There is no such file.", 404)
        return self._sent(self._folder / "index.html", "no-cache", encodings)

    def _sent(self, file: Path, cache: str, encodings: str) -> Response:
        known = file.stat()
        plain, packed = self._read(file, known.st_mtime_ns, known.st_size)
        headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
        if packed and "gzip" in encodings:
            return Response(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=_media(file))
        return Response(plain, headers=headers, media_type=_media(file))

    def own(self, name: str) -> Response:
        """One of the server's own small files."""
        file = _file(WEB, name)
        if file is None:
            return HTMLResponse("There is no such file.", 404)
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    def policy(self) -> str:
        """Content-Security-Policy: everything from here, and the inline scripts of the compiled page by their hash."""
        index = self._folder / "index.html" if self._folder else None
        scripts = _INLINE.findall(index.read_text("utf-8")) if index else []
        hashes = "".join(f" 'sha256-{_sha256(script)}'" for script in scripts)
        return (
            f"default-src 'none'; script-src 'self'{hashes}; style-src 'self';"
            " img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self';"
            " worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )


def _packed(file: Path, _changed: int, _size: int) -> tuple[bytes, bytes]:
    """A file, and the same packed where that is worth it; once, as packing is dearer than sending."""
    plain = file.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    return plain, packed if len(packed) < 0.9 * len(plain) else b""


def _media(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _file(folder: Path, path: str) -> Path | None:
    """The file at a path inside a folder; None when there is none, or when no file can have such a name."""
    try:
        file = (folder / path).resolve()
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError):
        return None


def _names_file(path: str) -> bool:
    """Whether a path asks for a file: the names of tags have dots too, in paths that are pages."""
    first, slash, rest = path.strip("/").partition("/")
    return first == "assets" or ("." in first and not slash and not rest)


class SecureHeaders:
    """ASGI middleware: the same strict headers on every answer."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and dress the answer."""

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if is_tls(scope):
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)


def is_tls(scope: Scope) -> bool:
    """Whether the browser speaks TLS, with this server or with the proxy before it."""
    return "https" in {scope["scheme"], Headers(scope=scope).get("x-forwarded-proto")}


def _cache(file: Path, folder: Path) -> str:
    hashed = file.parent != folder and _HASHED.search(file.name)
    return "public, max-age=31536000, immutable" if hashed else "no-cache"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
