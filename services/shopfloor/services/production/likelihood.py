"""A small model of reasons: categorical naive Bayes that shrinks to what is usual, tempered so that its shares hold.

What is known of a stop is a set of named circumstances, each a word; one that is not known is left out. The features
of a stop say the same thing more than once, so their sum is too sure: it is multiplied by a temper below 1, that which
would have made what was told so far likeliest (Guo et al. 2017 scale the logits of networks for the same reason).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Known = Mapping[str, str]
TEMPERS: Final = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
_PRIOR: Final = 0.5
"""So many stops of each reason are thought to have been, before any."""
_SHRINK: Final = 2.0
"""So many stops of each reason are thought to have had circumstances as all stops have them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was thought of a stop before its reason was told: the `share` of that reason and its `place` from 1.

    `first` is the share of the likeliest; `usual` its place among all by how often they had been told.
    """

    share: float
    first: float
    place: int
    usual: int


class ReasonModel:
    """Counts what was told; `of` are all reasons, in the order that decides between equals.

    >>> model = ReasonModel(["Tool/Change", "People/Break"])
    >>> for _ in range(9):
    ...     _ = model.learn({"state": "HELD"}, "Tool/Change"), model.learn({"state": "IDLE"}, "People/Break")
    >>> shares = model.shares({"state": "IDLE"})
    >>> max(shares, key=shares.get), round(sum(shares.values()), 6)
    ('People/Break', 1.0)
    """

    def __init__(self, of: Sequence[str]) -> None:
        self._of = tuple(of)
        self._place = {reason: place for place, reason in enumerate(self._of)}
        self._told: Floats = np.zeros(len(self._of))
        self._seen: dict[str, dict[str, Floats]] = {}
        self._sums: dict[str, Floats] = {}
        self._cost: Floats = np.zeros(len(TEMPERS))

    @property
    def told(self) -> int:
        """How many stops it has learned from."""
        return int(self._told.sum())

    @property
    def temper(self) -> float:
        """By how much it trusts the circumstances now."""
        return float(TEMPERS[int(np.argmin(self._cost))]) if self.told else 0.5

    def shares(self, known: Known) -> dict[str, float]:
        """How likely each reason is, the likeliest first; they add up to 1."""
        share = _softmax(self._base() + self.temper * self._evidence(known))
        return {self._of[i]: float(share[i]) for i in np.argsort(-share, kind="stable")}

    def learn(self, known: Known, reason: str) -> Step | None:
        """Take a stop and its reason; answers what was thought before. A reason that is none is left out."""
        place = self._place.get(reason)
        if place is None:
            return None
        base, evidence = self._base(), self._evidence(known)
        share = _softmax(base + self.temper * evidence)
        thought = Step(float(share[place]), float(share.max()), _rank(share, place), _rank(self._told, place))
        if self.told:
            each = base + TEMPERS[:, None] * evidence
            self._cost += np.logaddexp.reduce(each, axis=1) - each[:, place]
        self._take(known, place)
        return thought

    def _take(self, known: Known, place: int) -> None:
        self._told[place] += 1
        for name, word in known.items():
            words = self._seen.setdefault(name, {})
            words.setdefault(word, np.zeros(len(self._of)))[place] += 1
            self._sums.setdefault(name, np.zeros(len(self._of)))[place] += 1

    def _base(self) -> Floats:
        base: Floats = np.log(self._told + _PRIOR)
        return base

    def _evidence(self, known: Known) -> Floats:
        """Sum of the log of how much more often each circumstance is there with a reason than with any."""
        total = np.zeros(len(self._of))
        for name, word in known.items():
            words = self._seen.get(name)
            if words is None or word not in words:
                continue
            counts, sums = words[word], self._sums[name]
            usual = counts.sum() / sums.sum()
            total += np.log((counts + _SHRINK * usual) / ((sums + _SHRINK) * usual))
        return total


def _softmax(logits: Floats) -> Floats:
    raised: Floats = np.exp(logits - logits.max())
    share: Floats = raised / raised.sum()
    return share


def _rank(score: Floats, place: int) -> int:
    """Where one stands among all by score, from 1; of equals the one that is declared first."""
    return int((score > score[place]).sum() + (score[:place] == score[place]).sum()) + 1
