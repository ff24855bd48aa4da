"""What takes a while, as a sentence for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_SOON_S: Final = 1.0


@dataclass(slots=True)
class Progress:
    """`sentence` is empty for the first second, and again when it is done or has failed.

    >>> progress = Progress(clock=iter([0.0, 0.5, 2.0]).__next__)
    >>> with progress.shown() as tell:
    ...     tell("1 of 2"); early = progress.sentence
    ...     tell("2 of 2"); late = progress.sentence
    >>> early, late, progress.sentence
    ('', '2 of 2', '')
    """

    sentence: str = ""
    clock: Callable[[], float] = time.monotonic

    @contextmanager
    def shown(self) -> Iterator[Callable[[str], None]]:
        """Show what is told until the block is left."""
        started = self.clock()

        def tell(sentence: str) -> None:
            if self.clock() - started > _SOON_S:
                self.sentence = sentence

        try:
            yield tell
        finally:
            self.sentence = ""
