"""The notifier: looks at the alarms once a second, writes what is due into the outbox, and sends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import StoreError
from shopfloor.plant.config import PlantConfig
from shopfloor.services.alarms import Alarm
from shopfloor.services.notify.message import Message, Writer
from shopfloor.services.notify.outbox import Letter, Outbox
from shopfloor.services.notify.routes import SINGLE, SPAN_NS, Due, Routes
from shopfloor.services.notify.ways import NotTaken, mail, webhook

TICK_S: Final = 1.0
_HOUR_NS: Final = 3_600_000_000_000
_LOG: Final = logging.getLogger(__name__)


class Notifier:
    """A context; inside it a thread works, where the plant file has routes, or reports that are mailed.

    `alarms` tells the open alarms that are not set aside, `flood` since when (UTC ns) there is one, `shift` the name of
    the shift at a time.
    """

    def __init__(
        self,
        folder: Path,
        config: PlantConfig,
        clock: Callable[[], int],
        *,
        alarms: Callable[[], Sequence[Alarm]],
        flood: Callable[[], int | None],
        shift: Callable[[int], str],
        tick_s: float = TICK_S,
    ) -> None:
        self._section, self._clock = config.alarms.notify, clock
        self._used = bool(self._section.routes) or any(report.mail for report in config.reports.schedule)
        self._alarms, self._flood, self._tick_s = alarms, flood, tick_s
        self._outbox = Outbox(folder)
        self._routes = Routes(self._section, shift)
        self._writer = Writer(config.plant.title, config.plant.timezone, self._section.link or "")
        self._stopped = threading.Event()
        self._said: set[str] = set()
        self._swept = 0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._used:
            self._outbox.__enter__()
            self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._outbox.__exit__()

    def state(self) -> dict[str, Any]:
        """How many messages wait, how many were sent, and what is in the way."""
        if self._thread is None:
            return {"routes": 0, "waiting": 0, "sent": 0, "problem": ""}
        return {"routes": len(self._section.routes), **self._outbox.state()}

    def post(self, key: str, addresses: Sequence[str], message: Message) -> None:
        """Mail a message that is about no alarm, once for each key: it is in the outbox when this returns."""
        if self._outbox.untold([key]):
            self._outbox.write(key, [key], [("mail", one) for one in addresses], message, self._clock())

    def letters(self, key: str) -> list[dict[str, Any]]:
        """What became of a posted message: `to`, `sent` (UTC ns or None), and the `problem` of the last try."""
        return self._outbox.letters(key) if self._used else []

    def _run(self) -> None:
        while not self._stopped.wait(self._tick_s):
            try:
                self._write(self._clock())
                for letter in self._outbox.due(self._clock()):
                    if self._stopped.is_set():
                        return
                    self._send(letter)
                self._sweep(self._clock())
            except StoreError as problem:
                if not self._stopped.is_set():  # a mail server that hangs outlasts the end of the server
                    self._say(str(problem))

    def _sweep(self, now: int) -> None:
        if now - self._swept > _HOUR_NS:
            self._outbox.forget(now)
            self._swept = now

    def _write(self, now: int) -> None:
        flood = self._flood()
        for due in self._routes.due(self._alarms(), now):
            untold = self._outbox.untold(due.key(alarm) for alarm in due.alarms)
            self._tell(due, [alarm for alarm in due.alarms if due.key(alarm) in untold], flood, now)

    def _tell(self, due: Due, alarms: Sequence[Alarm], flood: int | None, now: int) -> None:
        """A message for each alarm as long as they are few; then one for all, and the next ten minutes later."""
        single, many = self._outbox.written(due.name, now - SPAN_NS)
        few = 0 if flood is not None else max(0, SINGLE - single)
        for alarm in alarms[:few]:
            self._outbox.write(due.name, [due.key(alarm)], due.targets(), self._writer.one(alarm), now)
        rest = alarms[few:]
        if rest and not many:
            message = self._writer.many(rest, flood)
            self._outbox.write(due.name, [due.key(one) for one in rest], due.targets(), message, now)

    def _send(self, letter: Letter) -> None:
        step, key = self._routes.step(letter.step), f"shopfloor-{letter.id}"
        try:
            if step is None and not letter.posted:
                _LOG.warning("A message of the route %s is dropped: the plant file has it no longer.", letter.step)
            elif letter.way == "webhook" and step and step.webhook:
                webhook(step.webhook, step.token_file, letter.message, key)
            elif letter.way == "mail" and self._section.mail:
                mail(self._section.mail, letter.target, letter.message, key)
        except NotTaken as problem:
            self._outbox.failed(letter, str(problem), self._clock())
            self._say(f"A message of {letter.of} waits: {problem}")
        else:
            self._outbox.sent(letter, self._clock())
            self._said.clear()

    def _say(self, sentence: str) -> None:
        """Each trouble once, until something works again."""
        if sentence not in self._said:
            _LOG.error("%s", sentence)
        self._said.add(sentence)
