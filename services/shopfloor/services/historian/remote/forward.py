"""Forwarding: published segments go to a target on a thread of their own, and again after the target lost them."""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
from shopfloor.gateway.backoff import Backoff
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.remote.deliveries import Deliveries
from shopfloor.services.historian.remote.lineprotocol import prefix, render
from shopfloor.services.historian.remote.offer import Refusal, offer
from shopfloor.services.historian.remote.run import Run
from shopfloor.services.historian.remote.sender import Sender
from shopfloor.services.historian.remote.target import Target
from shopfloor.services.historian.rows import Rows, collapse
from shopfloor.services.historian.segments.segment import Segment, group_rows
from shopfloor.services.historian.shelf import Shelf

_log = logging.getLogger(__name__)
_PAUSE_S: Final = 0.25
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0
_LOOK_S: Final = 2.0
"""Between two looks at `/metrics`, which VictoriaMetrics renews once a second."""

_EXPECTED: Final = (SinkUnavailable, StoreError, OSError, pa.ArrowException)


class Forward:
    """Copies published segments to the target, oldest id first, for as long as it takes.

    VictoriaMetrics acknowledges before its disk: what it took stays unsettled until it has run on for `settle_s`
    seconds, and is sent again when it was started anew in between.
    """

    def __init__(self, target: Target, book: Deliveries, shelf: Shelf, tags: Dictionary) -> None:
        self.trouble = ""
        self.sent_rows = 0
        self.target = target
        self._book, self._shelf, self._tags = book, shelf, tags
        self._key = target.key
        self._prefixes: list[str] = []
        self._life = uuid.uuid4().hex
        self._outages = 0
        self._seen: Run | None = None
        self._looked = -math.inf
        self._backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="historian-forward", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the request at hand."""
        self._stop.set()
        self._thread.join()

    def waiting(self) -> list[Segment]:
        """Segments that the target has not taken yet."""
        return self._book.waiting(self._key, self._shelf.segments())

    def durable(self) -> frozenset[int]:
        """Ids of the segments that the target has for good."""
        return self._book.durable_of(self._key)

    @property
    def sentence(self) -> str:
        """What a person should know: the target is away, or refused values. Empty when all is well."""
        count, said = self._book.refused(self._key)
        aside = f"{count} values were set aside, docs/stores.md says how to get at them: {said}" if count else ""
        return self.trouble or aside

    def told(self) -> dict[str, Any]:
        """How the copy stands: `waiting` segments, `refused` values and what the target `said` of the last of them."""
        count, said = self._book.refused(self._key)
        about = {"target": self._key, "kind": self.target.product.value, "trouble": self.trouble}
        return about | {"waiting": len(self.waiting()), "refused": count, "said": said}

    def _run(self) -> None:
        sender = Sender(self.target)
        try:
            while not self._stop.is_set():
                self._stop.wait(self._attempt(sender))
        finally:
            sender.close()

    def _attempt(self, sender: Sender) -> float:
        """Do what is due; answers how many seconds to wait then."""
        try:
            self._settle(sender)
            self._copy_all(sender)
        except Exception as problem:  # noqa: BLE001 (a thread that ends silently would leave the target behind for good)
            self._outages += 1
            self._note(str(problem) or repr(problem), None if isinstance(problem, _EXPECTED) else problem)
            return self._backoff.next(getattr(problem, "after", None))
        self._backoff.reset()
        self._note("")
        return _PAUSE_S

    def _note(self, sentence: str, unexpected: Exception | None = None) -> None:
        if sentence and not self.trouble:
            _log.warning("%s", sentence, exc_info=unexpected)
        if self.trouble and not sentence:
            _log.warning("%s takes values again.", self.target.url)
        self.trouble = sentence

    def _copy_all(self, sender: Sender) -> None:
        segments = self.waiting()
        run = self._look(sender) if segments and self.target.settles else Run("")
        if run.young:
            return
        for segment in segments:
            if self._stop.is_set() or not self._copy(sender, segment, run.word):
                return

    def _copy(self, sender: Sender, segment: Segment, server: str) -> bool:
        """Send a segment, row group by row group; False when asked to stop in between."""
        kept = self.target.keeps(segment.kind)
        refusals: list[Refusal] = []
        for group in range(len(segment.groups) if kept else 0):
            if self._stop.is_set():
                return False
            rows = group_rows(segment, group)
            refusals += offer(rows, self._way(sender, segment))
            self.sent_rows += len(rows)
        sent = time.time() if kept and self.target.settles else 0.0
        self._book.take(self._key, segment, self._tags, refusals, sent, server)
        for refusal in refusals[:1]:
            _log.warning("%d values were set aside: %s", sum(len(r.rows) for r in refusals), refusal.sentence)
        return True

    def _way(self, sender: Sender, segment: Segment) -> Callable[[Rows], None]:
        self._prefixes += [prefix(path) for path in self._tags.paths[len(self._prefixes) :]]

        def send(rows: Rows) -> None:
            # Of several values in one unit a server keeps one point, and not a chosen one.
            kept = collapse(rows, self.target.precision) if self.target.precision > 1 else rows
            sender.send(render(kept, segment.kind, self._prefixes, bad="bad" if self.target.settles else "value"))

        return send

    def _settle(self, sender: Sender) -> None:
        if not self.target.settles or time.monotonic() - self._looked < self.target.settle_s / 30:
            return
        if self._book.unsettled(self._key):
            self._look(sender)
        else:
            self._looked = time.monotonic()

    def _look(self, sender: Sender) -> Run:
        """The server's run, at most two seconds old: what goes to a newer one than that is sent again later."""
        if self._seen is None or self._seen.young or time.monotonic() - self._looked > _LOOK_S:
            found = sender.run() or Run(f"{self._life} {self._outages}")  # each outage may have been a restart
            self._judge(found)
            self._seen, self._looked = found, time.monotonic()
        return self._seen

    def _judge(self, run: Run) -> None:
        """Believe what is old enough, and send again what the server took in an earlier run.

        At every look: where two runs have one stamp, the second shows at the first look at it only.
        """
        now, unsettled = time.time(), self._book.unsettled(self._key)
        again = [id_ for id_, _, word in unsettled if not run.goes_on_from(word)]
        old = {id_ for id_, sent, _ in unsettled if now - sent > self.target.settle_s}
        safe = sorted(old.difference(again))
        if again or safe:
            self._book.settle(self._key, safe, again)
        if again:
            _log.warning("%s was started anew: %d segments are sent again.", self.target.url, len(again))
