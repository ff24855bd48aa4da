"""What a model sees, said once: frozen, with a hash, in JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Final

from shopfloor.plant.errors import ShopfloorError

FORMAT: Final = 2
PAIRS: Final = {"product": "*", "difference": "-", "ratio": "/"}
CONSTANTS: Final = 3
"""Every remembered input has this many time constants: fast, middle, slow."""
MEMORY: Final = ("fast", "middle", "slow", "trend", "drift", "spread", "mean")
"""What is told of a remembered input unless the specification says otherwise."""
TOLD: Final = (*MEMORY, "rise")
"""What can be told of one."""
_SINCE_2: Final = {"told": MEMORY, "unseen": ()}
"""Fields of format 2, and what they were before: a specification that leaves them so is written in format 1."""


class SpecError(ShopfloorError, ValueError):
    """A feature specification, or a column for it, that no model may be built on."""


@dataclass(frozen=True)
class FeatureSpec:
    """A pure function from the past of an asset to float32 features.

    inputs      raw columns, in order; `levels` names those that hold text, with their words (the code is the rank)
    settings    inputs by which regimes are told apart: the nearest of `regimes` (centres, one row each, in units of
                `regime_scale`); with one regime or none every row is in regime 0
    centre, scale   [regimes][inputs]: an input becomes (value - centre) / scale of its regime before anything else
    remembered  inputs with a memory, of which `told` says what becomes features: three exponentially weighted means
                (fast, middle, slow), trend (fast minus slow), rise (middle minus slow), drift (middle minus the mean of
                the asset's first `baseline` values), spread around the middle mean, mean of the whole life
    unseen      inputs that are no features themselves: only mixes, pairs and regimes are made of them
    mixes       (name, weights over the inputs): weighted sums of scaled inputs, used like further inputs; what is
                missing counts as its centre
    lags        with 1 or more, the value now and that many values before it are features of remembered inputs too
    constants   time constants of the means in steps; `step` is one step in the unit of time (ns, cycles, rows)
    pairs       (kind, input, input, centre, scale): product, difference or ratio of two raw inputs
    age         whether steps since the asset's first row are a feature: only where age is declared legitimate

    >>> spec = FeatureSpec.plain(("power",), remembered=("power",), age=True)
    >>> len(spec.names), spec.names[0], spec.names[-1]
    (8, 'power fast', 'age')
    >>> FeatureSpec.from_json(spec.to_json()).sha == spec.sha
    True
    """

    inputs: tuple[str, ...]
    centre: tuple[tuple[float, ...], ...]
    scale: tuple[tuple[float, ...], ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    settings: tuple[str, ...] = ()
    regimes: tuple[tuple[float, ...], ...] = ()
    regime_scale: tuple[float, ...] = ()
    remembered: tuple[str, ...] = ()
    constants: tuple[float, ...] = (2.5, 11.0, 36.0)
    baseline: int = 5
    step: float = 1.0
    pairs: tuple[tuple[str, str, str, float, float], ...] = ()
    age: bool = False
    mixes: tuple[tuple[str, tuple[float, ...]], ...] = ()
    lags: int = 0
    told: tuple[str, ...] = MEMORY
    unseen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @classmethod
    def plain(cls, inputs: tuple[str, ...], **changes: Any) -> FeatureSpec:
        """One regime, nothing scaled."""
        return cls(inputs, ((0.0,) * len(inputs),), ((1.0,) * len(inputs),), **changes)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The inputs and the mixes of them."""
        return (*self.inputs, *(name for name, _ in self.mixes))

    @cached_property
    def plain_columns(self) -> tuple[str, ...]:
        """Columns without a memory that are features as they are."""
        return tuple(name for name in self.columns if name not in self.remembered and name not in self.unseen)

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """What is told of each remembered column."""
        lags = ["now", *(f"{i + 1} before" for i in range(self.lags))] if self.lags else []
        return (*self.told, *lags)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each feature is called, in order."""
        remembered = [f"{name} {what}" for what in self.kept for name in self.remembered]
        pairs = [f"{a} {PAIRS[kind]} {b}" for kind, a, b, _, _ in self.pairs]
        regime = ["regime"] if len(self.regimes) > 1 else []
        return (*remembered, *self.plain_columns, *pairs, *regime, *(["age"] if self.age else []))

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Each feature's column, pair, `regime` or `age`: features with one source belong together."""
        return (*self.remembered * len(self.kept), *self.names[len(self.remembered) * len(self.kept) :])

    @cached_property
    def sha(self) -> str:
        """SHA-256 of the canonical JSON: two specifications with one hash compute the same."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no blanks, shortest numbers that come back the same."""
        said = {"format": FORMAT, **asdict(self)}
        if all(said[name] == before for name, before in _SINCE_2.items()):
            said = {name: value for name, value in said.items() if name not in _SINCE_2} | {"format": 1}
        return json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> FeatureSpec:
        """Read what `to_json` wrote; anything else raises `SpecError`."""
        try:
            found = json.loads(text)
            version = found.pop("format")
            known = {field.name for field in fields(cls)} - (set(_SINCE_2) if version == 1 else set())
            if version not in (1, FORMAT) or set(found) != known:
                raise SpecError(f"A feature specification of format {version} with keys {sorted(found)} is not known.")
            return cls(**{name: _frozen(value) for name, value in found.items()})
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            if isinstance(problem, SpecError):
                raise
            raise SpecError(f"This is no feature specification in JSON: {problem}.") from problem


def _frozen(value: Any) -> Any:
    """Lists become tuples, so that the result can be hashed."""
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _check(spec: FeatureSpec) -> None:
    known = set(spec.inputs)
    if not spec.inputs or len(known) != len(spec.inputs):
        raise SpecError("A feature specification needs at least one input, and each only once.")
    paired = [name for pair in spec.pairs for name in pair[1:3]]
    named = {*spec.settings, *spec.unseen, *paired, *(name for name, _ in spec.levels)}
    named |= set(spec.remembered) - {name for name, _ in spec.mixes}
    if unknown := sorted(named - known):
        raise SpecError(f"{', '.join(unknown)}: not among the inputs {', '.join(spec.inputs)}; add it or leave it out.")
    if bad := [kind for kind, *_ in spec.pairs if kind not in PAIRS]:
        raise SpecError(f"{bad[0]!r} is no way to join two inputs: expected {', '.join(PAIRS)}.")
    if (strange := [what for what in spec.told if what not in TOLD]) or len(set(spec.told)) != len(spec.told):
        raise SpecError(f"{', '.join(strange or spec.told)}: `told` names each of {', '.join(TOLD)} at most once.")
    if not spec.names:
        raise SpecError("A feature specification without a feature: tell something, or leave an input seen.")
    _check_numbers(spec)


def _check_numbers(spec: FeatureSpec) -> None:
    rows = max(len(spec.regimes), 1)
    tables = (spec.centre, spec.scale)
    if any(len(table) != rows or any(len(row) != len(spec.inputs) for row in table) for table in tables):
        raise SpecError(f"Centre and scale need {rows} rows (one for each regime) of {len(spec.inputs)} numbers.")
    scales = [*(s for row in spec.scale for s in row), *(pair[4] for pair in spec.pairs), *spec.regime_scale, spec.step]
    if not all(0.0 < s < float("inf") for s in scales):
        raise SpecError("Every scale and the step must be above 0 and finite.")
    if any(len(weights) != len(spec.inputs) for _, weights in spec.mixes) or spec.lags < 0:
        raise SpecError("Each mix needs a weight for every input, and lags are counted from 0.")
    constants = spec.constants
    if len(constants) != CONSTANTS or not all(0.0 < c < float("inf") for c in constants) or spec.baseline < 1:
        raise SpecError("Three time constants above 0 and a baseline of at least 1 value are needed.")
    shape = {len(row) for row in (*spec.regimes, *([spec.regime_scale] if spec.regimes else []))}
    if spec.regimes and shape != {len(spec.settings)}:
        raise SpecError(f"Each regime and their scale need {len(spec.settings)} numbers, one for each setting.")
