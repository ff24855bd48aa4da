"""What the gateways said last: their health posts, kept in memory and, now and then, in one file."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import Event, EventKind
from shopfloor.services.clock import Clock

_WRITE_EVERY_NS: Final = 5_000_000_000
_LOG: Final = logging.getLogger(__name__)

Listener = Callable[["Post", "Post | None"], None]


@dataclass(frozen=True, slots=True)
class Post:
    """The last health post of a gateway, and when it came (UTC ns)."""

    gateway: str
    received: int
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the gateway in its plant file."""
        return str(self.body.get("name") or self.gateway)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Its sources, as it sent them."""
        return [source for source in self.body.get("sources", ()) if isinstance(source, dict)]

    def silent_s(self, now: int) -> float:
        """Seconds since the post came."""
        return max(0.0, (now - self.received) / 1e9)


class Gateways:
    """Posts by gateway id. A gateway that began a new spool replaces its older self. Safe from any thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file, self._clock = folder / "gateways.json", clock
        self._lock = threading.Lock()
        self._posts: dict[str, Post] = {}
        self._written = 0
        self._unwritten = False
        self._listeners: list[Listener] = []

    def load(self) -> None:
        """Recall the posts of the last run: their counters are as true as ever, their links are unknown."""
        try:
            rows = json.loads(self._file.read_text("utf-8"))
            self._posts = {row["gateway"]: _recalled(row["gateway"], row["body"], self._clock()) for row in rows}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as problem:
            _LOG.warning(
                "The last posts of the gateways in %s cannot be read (%s): they are ignored.", self._file, problem
            )

    def save(self) -> None:
        """Write the posts to the file, complete or not at all."""
        rows = [{"gateway": post.gateway, "received": post.received, "body": post.body} for post in self.posts()]
        part = self._file.with_suffix(".part")
        try:
            part.write_text(json.dumps(rows), "utf-8")
            part.replace(self._file)
        except OSError as problem:
            if not self._unwritten:
                _LOG.warning(
                    "The posts of the gateways cannot be written to %s (%s): the server goes on and tries again.",
                    self._file,
                    problem.strerror,
                )
            self._unwritten = True
        else:
            self._unwritten = False

    def subscribe(self, listener: Listener) -> None:
        """Call `listener(new, previous)` with every post."""
        self._listeners.append(listener)

    def post(self, gateway: str, body: dict[str, Any]) -> None:
        """Take a post."""
        now = self._clock()
        post = Post(gateway, now, body)
        with self._lock:
            older = [p.gateway for p in self._posts.values() if p.name == post.name and p.gateway != gateway]
            for name in older:
                del self._posts[name]
            previous, self._posts[gateway] = self._posts.get(gateway), post
            due = now - self._written >= _WRITE_EVERY_NS
            self._written = now if due else self._written
        if due:
            self.save()
        for listener in self._listeners:
            listener(post, previous)

    def posts(self) -> list[Post]:
        """The last post of every gateway, by name."""
        with self._lock:
            return sorted(self._posts.values(), key=lambda post: post.name)


def _recalled(gateway: str, body: dict[str, Any], now: int) -> Post:
    """A post of the last run. Silence is counted from now on: the gateway could not reach a server that was down."""
    unknown = {"state": "waiting", "detail": "It has not reported since this server started.", "values_per_s": 0.0}
    sources = [s if s.get("state") == "finished" else {**s, **unknown} for s in body.get("sources", ())]
    return Post(gateway, now, {**body, "sources": sources})


def link_events(post: Post, previous: Post | None) -> list[Event]:
    """What changed in the links of a gateway since its previous post."""
    before = {s.get("name"): s.get("state") for s in previous.sources} if previous else {}
    return [
        _link_event(post, source)
        for source in post.sources
        if (source.get("state") == "connected") != (before.get(source.get("name")) == "connected")
        and source.get("state") != "finished"
    ]


def _link_event(post: Post, source: dict[str, Any]) -> Event:
    name, connected = str(source.get("name")), source.get("state") == "connected"
    said = f"{post.name} is connected to {name}." if connected else f"{post.name} lost {name}: {source.get('detail')}"
    kind = EventKind.SOURCE_CONNECTED if connected else EventKind.SOURCE_LOST
    return Event(post.received, kind, name, said, {"gateway": post.name})
