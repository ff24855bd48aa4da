"""A stream specification: how values of tags become the rows that a feature specification describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import SECOND
from shopfloor.models.sealing.canonical import json_sha
from shopfloor.models.sealing.manifest import Manifest
from shopfloor.models.spec import FeatureSpec, SpecError
from shopfloor.models.spec.memory import Memory, step

FORMAT: Final = 1
MOST_STEPS: Final = 20_000
"""Moments in one lookback."""
_MOST_INPUTS: Final = 256
_MOST_LAGS: Final = 256
_MOST_JOINED: Final = 8192
_LEAST_STEP: Final = 1e6
_KEYS: Final = ("every", "hold", "lookback", "settle")
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StreamSpec:
    """How the values of an asset's tags become rows, and how far a row looks back. All times are whole seconds.

    features    what is told of each row; its time is UTC ns, so its `step` is one too (`every` in ns by default)
    tags        the tag of each input, in the order of `features.inputs`, relative to the asset: `spindle.load`
    every       a row is made at each moment that is a multiple of this in UTC
    hold        the newest good value of a tag counts for so long; after that the input is missing (NaN)
    settle      so long is waited for late values before a moment is judged
    lookback    memories begin anew at each multiple of this, and a moment is judged by the memory that began one
                lookback earlier: each row depends on one to two lookbacks, never on more

    >>> spec = StreamSpec.of(("spindle.load",), every=10, hold=60, lookback=3600, remembered=("spindle.load",))
    >>> spec.features.names[:2], spec.begin_of(7_300 * SECOND) // SECOND
    (('spindle.load fast', 'spindle.load middle'), 3600)
    >>> StreamSpec.of_json(spec.to_json()) == spec
    True
    """

    features: FeatureSpec
    tags: tuple[str, ...]
    every: int
    hold: int
    settle: int = 5
    lookback: int = 3600

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def of(
        cls, tags: tuple[str, ...], *, every: int, hold: int, settle: int = 5, lookback: int = 3600, **features: Any
    ) -> StreamSpec:  # fmt: skip
        """Inputs called as their tags; `features` are fields of a `FeatureSpec`, counted in steps of `every`."""
        told = FeatureSpec.plain(tags, **{"step": float(every) * SECOND, **features})
        return cls(told, tags, every, hold, settle, lookback)

    @cached_property
    def sha(self) -> str:
        """SHA-256 of the JSON: the `spec_sha` of a bundle that carries it."""
        return json_sha(self.to_json())

    @property
    def per_lookback(self) -> int:
        """Moments in one lookback."""
        return self.lookback // self.every

    def moments(self, start: int, end: int) -> Ints:
        """The moments in [start, end) UTC ns."""
        width = self.every * SECOND
        return np.arange(-(-start // width), -(-end // width), dtype=np.int64) * width

    def begin_of(self, moment: int) -> int:
        """When the memory began by which a moment is judged (UTC ns); without a memory the moment itself."""
        if not self.features.remembered:
            return moment
        return (moment // (self.lookback * SECOND) - 1) * self.lookback * SECOND

    def since(self, moment: int) -> int:
        """From when on (UTC ns) values matter to the row of a moment."""
        return max(self.begin_of(moment) - self.hold * SECOND, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain content, for the `spec` of a manifest."""
        stream = {key: getattr(self, key) for key in _KEYS} | {"format": FORMAT, "tags": list(self.tags)}
        return {"features": json.loads(self.features.to_json()), "stream": stream}

    @classmethod
    def of_json(cls, said: Mapping[str, Any]) -> StreamSpec:
        """Read what `to_json` wrote; anything else raises `SpecError`."""
        try:
            stream, told = dict(said["stream"]), said["features"]
            if stream.pop("format") != FORMAT or set(stream) != {*_KEYS, "tags"} or set(said) != {"stream", "features"}:
                raise SpecError(
                    f"A stream specification with other keys than {', '.join(_KEYS)} and tags is not known."
                )
            _check_size(told)
            return cls(FeatureSpec.from_json(json.dumps(told)), tuple(stream.pop("tags")), **stream)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as problem:
            if isinstance(problem, SpecError):
                raise
            raise SpecError(f"This is no stream specification in JSON: {problem!r:.200}.") from problem


def streamed(manifest: Manifest) -> StreamSpec | None:
    """The stream specification that a bundle carries, None when it carries none; a wrong one raises `SpecError`."""
    if "stream" not in manifest.spec:
        return None
    spec = StreamSpec.of_json(manifest.spec)
    if list(spec.features.names) != manifest.features:
        raise SpecError("The features of the bundle are not those of its specification: compile it with spec.features.")
    return spec


def _check_size(told: Mapping[str, Any]) -> None:
    """What would take much time or memory is refused before anything is made of it."""
    inputs, joined = len(told["inputs"]), len(told["mixes"]) * len(told["inputs"]) + len(told["pairs"])
    lags = told["lags"]
    if type(lags) is not int or not 0 <= lags <= _MOST_LAGS or inputs > _MOST_INPUTS or joined > _MOST_JOINED:
        raise SpecError(
            f"A live model has at most {_MOST_INPUTS} inputs, {_MOST_LAGS} lags, and {_MOST_JOINED} weights and pairs."
        )


def _check(spec: StreamSpec) -> None:
    _check_tags(spec)
    _check_times(spec)
    if spec.features.age:
        raise SpecError("An age begins anew with each lookback, so no live model may use it: leave `age` out.")
    if spec.features.remembered and spec.features.step < _LEAST_STEP:
        raise SpecError(
            f"The time of live rows is in ns, and the step is {spec.features.step:g} ns: give it in ns too."
        )
    try:
        step(spec.features, Memory.of(spec.features, 1), np.zeros(1, np.int64), np.zeros((1, len(spec.tags))))
    except (TypeError, ValueError, IndexError, OverflowError) as problem:
        raise SpecError(f"The feature specification cannot describe a row ({problem!r:.200}): make it anew.") from None


def _check_tags(spec: StreamSpec) -> None:
    tags = spec.tags
    if len(tags) != len(spec.features.inputs):
        raise SpecError(f"{len(spec.features.inputs)} inputs and {len(tags)} tags: give one tag for each input.")
    for tag in tags:
        if not isinstance(tag, str) or not 0 < len(tag) <= 300 or "/" in tag or "*" in tag or tag.strip() != tag:
            raise SpecError(f"{tag!r:.100} is no tag of an asset: expected its name alone, as in 'spindle.load'.")


def _check_times(spec: StreamSpec) -> None:
    limits = {"every": (1, 86_400), "hold": (1, 31 * 86_400), "settle": (0, 3600), "lookback": (1, 31 * 86_400)}
    for name, (low, high) in limits.items():
        value = getattr(spec, name)
        if type(value) is not int or not low <= value <= high:
            raise SpecError(f"`{name}` is {value!r:.40}: expected whole seconds from {low} to {high}.")
    if spec.lookback % spec.every or spec.per_lookback > MOST_STEPS:
        raise SpecError(f"`lookback` ({spec.lookback} s) must be 1 to {MOST_STEPS} times `every` ({spec.every} s).")
