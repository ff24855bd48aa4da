"""Counters of the spool: what each source handed over and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Values of one source. At rest, accepted = spooled + stored (the server's) + rejected + dropped."""

    accepted: int = 0
    rejected: int = 0
    dropped: int = 0
    spooled: int = 0


@dataclass(slots=True)
class Tally:
    """Counts per source, and the batches and bytes that wait in the spool."""

    sources: dict[str, Counts] = field(default_factory=dict)
    batches: int = 0
    values: int = 0
    bytes: int = 0

    def of(self, source: str) -> Counts:
        """The counts of one source; zeros for one that never handed over anything."""
        return self.sources.get(source) or Counts()

    def waiting(self, source: str, values: int, size: int) -> None:
        """Count a batch that lies in the spool already."""
        self.sources.setdefault(source, Counts()).spooled += values
        self._move(1, values, size)

    def spooled(self, source: str, values: int, size: int) -> None:
        """Count a batch that was just committed."""
        self.waiting(source, values, size)
        self.sources[source].accepted += values

    def left(self, source: str, values: int, size: int) -> None:
        """Count a batch that the server has made durable."""
        self.sources[source].spooled -= values
        self._move(-1, -values, -size)

    def rejected(self, source: str, values: int, size: int) -> None:
        """Count a batch that the server will never take."""
        self.left(source, values, size)
        self.sources[source].rejected += values

    def dropped(self, source: str, values: int, size: int) -> None:
        """Count a batch that was dropped to make room."""
        self.left(source, values, size)
        self.sources[source].dropped += values

    def refused(self, source: str, values: int) -> None:
        """Count a batch for which there was no room."""
        counts = self.sources.setdefault(source, Counts())
        counts.accepted += values
        counts.dropped += values

    def _move(self, batches: int, values: int, size: int) -> None:
        self.batches += batches
        self.values += values
        self.bytes += size
