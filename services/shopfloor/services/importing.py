"""The import of recorded history: how far it is, from the gateway's own account of its recording sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopfloor.plant.config import PlantConfig
from shopfloor.services.gateways import Gateways
from shopfloor.services.historian import SourceLedger

KIND = "recording"


@dataclass
class Importing:
    """Progress of all recording sources together; without any, there is no history to wait for."""

    config: PlantConfig
    gateways: Gateways
    ledger: Callable[[], Iterable[SourceLedger]]

    def complete(self) -> bool:
        """Whether every recording source has finished and nothing of it waits at the gateway."""
        posted = [s for post in self.gateways.posts() for s in post.sources if s.get("kind") == KIND]
        finished = {s["name"] for s in posted if s.get("state") == "finished" and not s.get("spooled")}
        return self._names() <= finished

    def answer(self) -> dict[str, Any]:
        """State, rows, rows expected and progress (0 to 1)."""
        names = self._names()
        rows = sum(row.stored for row in self.ledger() if row.source in names)
        expected = self._expected()
        done = self.complete()
        progress = 1.0 if done else min(rows / expected, 1.0) if expected else 0.0
        return {
            "state": "none" if not names else "complete" if done else "importing",
            "rows": rows,
            "rows_expected": expected,
            "progress": round(progress, 4),
        }

    def _names(self) -> set[str]:
        return {source.name for source in self.config.sources if source.kind == KIND}

    def _expected(self) -> int:
        """How many rows the recordings will have, as their manifests say: only where they lie on this machine."""
        folders = (Path(str(s.given.get("folder", ""))) for s in self.config.sources if s.kind == KIND)
        return sum(_rows_expected(folder / "manifest.json") for folder in folders)


def _rows_expected(manifest: Path) -> int:
    try:
        said = json.loads(manifest.read_bytes())
    except (OSError, ValueError):
        return 0
    key = "rows_written" if said.get("complete") else "rows_expected"
    return int(said.get(key) or 0)
