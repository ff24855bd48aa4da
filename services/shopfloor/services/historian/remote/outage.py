"""A server store that does not answer is left alone for a few seconds, so that pages do not wait for it."""

from __future__ import annotations

import logging
import time
from typing import Final

_log = logging.getLogger(__name__)
_AGAIN_S: Final = 5.0


class Outage:
    """What a server said when it did not answer; empty while it does."""

    def __init__(self) -> None:
        self.said, self._until = "", 0.0

    def note(self, sentence: str) -> None:
        """Write down how the last question ended: with a sentence, or with an answer (empty)."""
        if sentence and not self.said:
            _log.warning("%s Until it does, pages show what is kept here.", sentence)
        self.said, self._until = sentence, time.monotonic() + _AGAIN_S if sentence else 0.0

    def is_now(self) -> bool:
        """Whether it is not to be asked yet."""
        return time.monotonic() < self._until

    def is_recent(self) -> bool:
        """Whether it was asked in the last seconds and did not answer."""
        return bool(self.said) and time.monotonic() < self._until + _AGAIN_S
