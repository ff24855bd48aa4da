"""Telling one run of a server from the next by what its `/metrics` say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Self

_STARTED: Final = re.compile(r"^(?:vm_app_start_timestamp|process_start_time_seconds) (\S+)", re.M)
_LOOKS: Final = re.compile(r'^vm_http_requests_total\{path="/metrics"\} (\d+)', re.M)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a server at the moment of a look: when it started, and how often its `/metrics` were asked for in it.

    The stamp has whole seconds, so a run and the next may share it (a start within one second; a clock that stood at
    the same time after two power cuts). The looks tell these apart: our own count, so within one run they only grow.
    `young` says that the second of the stamp is not over: another run may still get the same stamp.

    >>> first = Run("1700000000", 7)
    >>> Run("1700000000", 8).goes_on_from(first.word), Run("1700000000", 1).goes_on_from(first.word)
    (True, False)
    """

    stamp: str
    looks: int | None = None
    young: bool = False

    @classmethod
    def told(cls, text: str, headers: Mapping[str, str]) -> Self | None:
        """What an answer of `/metrics` says; None where it does not tell when the server started."""
        if (started := _STARTED.search(text)) is None:
            return None
        looks = _LOOKS.search(text)
        return cls(started.group(1), int(looks.group(1)) if looks else None, _is_young(started.group(1), headers))

    @property
    def word(self) -> str:
        """What is written down beside values that this run has taken."""
        return self.stamp if self.looks is None else f"{self.stamp}#{self.looks}"

    def goes_on_from(self, word: str) -> bool:
        """Whether this is the run that an earlier look (its `word`) saw."""
        stamp, _, looks = word.partition("#")
        return stamp == self.stamp and (not looks or self.looks is None or self.looks > int(looks))


def _is_young(stamp: str, headers: Mapping[str, str]) -> bool:
    """By the server's own clock; a server that does not say its time is not young."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp() < int(float(stamp)) + 1
    except (ValueError, OverflowError):
        return False
