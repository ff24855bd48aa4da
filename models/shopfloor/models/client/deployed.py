"""A version of the registry, as a notebook goes on with it: its scores, its truth, its replay, its promotion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from shopfloor.models.client.labelled import Dataset
from shopfloor.models.client.moments import Moment, ns
from shopfloor.models.client.server import Server
from shopfloor.plant import QuestionError, ShopfloorError

if TYPE_CHECKING:
    from shopfloor.models.compile import Sealed

_AT_ONCE: Final = 5_000
_ASK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Deployed:
    """A version: what it is called, its stage on the scope, and the page that shows it.

    `seconds` is what deploying took; `sealed` the bundle, to be kept or looked at. Every method asks the server, and
    raises `QuestionError` with its sentence when it refuses, `StoreError` when it is away.
    """

    name: str
    number: int
    sha: str
    scope: str
    stage: str
    sentence: str
    page: str
    seconds: float
    sealed: Sealed = field(repr=False)
    server: Server = field(repr=False)

    def __str__(self) -> str:
        return f"{self.sentence} {self.page}"

    def scores(self, most: int = 100) -> list[dict[str, Any]]:
        """What it said last, newest first: asset, time (epoch ms), value, low, high; the champion's beside it."""
        return list(self.server.get(self._path("scores"), {"number": self.number, "most": most})["scores"])

    def label(self, data: Dataset) -> int:
        """Tell what was true at each moment of a data set, for its evidence and its replay; how many were kept."""
        kept, several = 0, list(self._truths(data))
        for first in range(0, len(several), _AT_ONCE):
            kept += self.server.send(self._path("labels"), several[first : first + _AT_ONCE])["kept"]
        return kept

    def replay(self, start: Moment, end: Moment, *, by: str = "", **costs: float) -> dict[str, Any]:
        """What it would have said in [start, end), beside what speaks and what was true; waits for the end of it.

        `costs` are `cost_false_alarm` and `cost_miss`.
        """
        asked = {"number": self.number, "scope": self.scope, "start": ns(start) / 1e6, "end": ns(end) / 1e6, "by": by}
        job = self.server.send(self._path("replay"), {**asked, **costs})
        while job["state"] == "running":
            time.sleep(_ASK_EVERY_S)
            job = self.server.get(f"/registry/replays/{job['id']}")
        if job["state"] != "done":
            raise ShopfloorError(job["sentence"])
        return dict(job["result"])

    def promote(self, *, by: str, why: str = "", override: bool = False) -> str:
        """Let it speak on its scope, where the gate lets it; `by` is a person. What the audit now says."""
        asked = {"number": self.number, "scope": self.scope, "by": by, "why": why, "override": override}
        event = self.server.send(self._path("promote"), asked)
        return f"Version {event['number']} of {event['name']} speaks on {event['scope']}, promoted by {event['by']}."

    def _path(self, what: str) -> str:
        return f"/registry/{quote(self.name, safe='')}/{what}"

    def _truths(self, data: Dataset) -> Iterator[dict[str, Any]]:
        """A class by its name, all else as a number; of a model of what is unusual, whether something was."""
        classes = set(self.sealed.bundle.manifest.classes)
        truth = data.label if set(data.label.astype(str)) <= classes else data.y
        if not classes and truth.dtype.kind not in "iufb":
            raise QuestionError(f"{self.name} says a number: give the truth of each moment with .labelled(truth).")
        for asset, at, value in zip(data.asset.tolist(), data.time.tolist(), truth.tolist(), strict=True):
            what = {"truth": str(value)} if classes else {"low": float(value), "high": float(value)}
            yield {"asset": asset, **what, "start": at / 1e6, "end": at / 1e6}
