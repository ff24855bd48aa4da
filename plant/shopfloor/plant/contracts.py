"""The contracts, on one page. Implement one of them and you have a connector, a store or a model.

Reconnecting, back-off, buffering and counters live once, in the gateway's pipeline, never behind a contract.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import pyarrow as pa
from shopfloor.plant.asset import Asset
from shopfloor.plant.batch import Batch, Kind
from shopfloor.plant.condition import Answer
from shopfloor.plant.tag import Band, Tag

Scalar = float | int | str
"""One value of any kind."""


@dataclass(frozen=True, slots=True)
class Setpoint:
    """Ask a device to hold `value` on the tag at the full path `tag`; a tuple is the arguments of a method there."""

    tag: str
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a device answered: an OPC UA StatusCode, what was read back, what it held before (None: nothing was read).

    BadTimeout and BadCommunicationError mean that nobody knows whether the device took the value.
    """

    status: int
    read_back: Scalar | tuple[Scalar, ...] | None = None
    sentence: str = ""
    before: Scalar | tuple[Scalar, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a model says what it says: a code and its numbers to translate, and the sentence in English."""

    code: str
    sentence: str
    tag: str = ""
    weight: float = 0.0
    values: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A value with its interval (`coverage` of the truth falls inside) and the top reasons, strongest first."""

    value: float
    low: float
    high: float
    coverage: float = 0.9
    reasons: tuple[Reason, ...] = ()


class Source(Protocol):
    """Where values come from: a device, a broker, a recording.

    `open` connects on entry and disconnects on exit; a link that cannot be made or is lost raises `SourceLost`.
    **Asking for the next batch acknowledges the last one**: the pipeline asks only after the batch is committed
    in the spool, so a source acknowledges to its device (OPC UA publish acknowledgement, MQTT PUBACK, moving a
    recording aside) when its `yield` returns, and never earlier. A source that is closed at its `yield` must
    not acknowledge. Values that were handed over twice are harmless; values that were acknowledged and not
    handed over are lost.
    """

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Connect; iterate; disconnect."""
        ...


class Sink(Protocol):
    """Where values go."""

    async def write(self, batch: Batch) -> None:
        """Make the batch safe.

        When this returns the batch is durable. `SinkUnavailable` means: keep it, try again later;
        `RejectedError` means: it will never be taken.
        """
        ...


class Reader(Protocol):
    """Where values are read back. Times are UTC nanoseconds, start inclusive, end exclusive; answers are Arrow.

    Unknown tags answer no rows. Rows are sorted by (tag, time).
    """

    def latest(self, tags: Sequence[str]) -> pa.Table:
        """Newest value of each tag: tag, time, value, text, quality."""
        ...

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> pa.Table:
        """Every stored value: tag (dictionary), time, value (float64; null for text), text, quality.

        `previous` puts each tag's last value before `start` first: data stored on change holds it until the next.
        """
        ...

    def downsample(self, tag: str, start: int, end: int, points: int) -> pa.Table:
        """About `points` values that draw the same picture: time, value, low, high, quality (worst)."""
        ...

    def aggregate(self, tags: Sequence[str], start: int, end: int, every: int, *, of: Collection[str] = ()) -> pa.Table:
        """Per tag and bucket of `every` ns counted from `start`; buckets without values have no row.

        Columns: tag, time, n, bad, sum, min, max, first, last, first_time, last_time, quality (worst). With `of`, only
        those of them are needed ("mean" means n and sum), and a store may leave out the others.
        A store may add `increase`: what a counter counted, from the bucket before on; after a fall the new number.
        """
        ...


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a method of a device: numbers have a range, texts a list of states."""

    name: str
    kind: Kind = Kind.FLOAT
    range: Band | None = None
    states: tuple[str, ...] = ()


@runtime_checkable
class Actuator(Protocol):
    """The narrow door back to a device. A source that can write is one as well, over the link that it holds open.

    Nobody calls it but the gateway's `Door`, which has judged the setpoint first: allow-list, limits, rate, audit.
    An actuator may have `methods`, the arguments of each method by its tag; their setpoints are tuples.
    """

    @property
    def connected(self) -> bool:
        """Whether the link is open now."""
        ...

    def can_write(self, tag: str) -> bool:
        """Whether the tag at this full path has a place here that can be written; the link may be closed."""
        ...

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Ask the device, read back, and say what it answered. A lost link raises `SourceLost`."""
        ...


@runtime_checkable
class Answerable(Protocol):
    """A source whose device keeps conditions (alarms of its own) that people can answer, over the link that it holds.

    Nobody calls it but the gateway's `Door`, which notes who answers what before and after.
    """

    async def answer(self, answer: Answer) -> Outcome:
        """Tell the device, once, and say what it answered. A lost link raises `SourceLost`."""
        ...


class Marks(Protocol):
    """How far a source has been read, kept in the spool in the same transaction as the values themselves.

    A source that can fetch what it missed (a device with history) has one in its attribute `marks`.
    """

    def restore(self, data: bytes) -> None:
        """Take up what the last run committed; called once, before the source is opened. Never raises."""
        ...

    def advance(self, batch: Batch) -> bytes:
        """Note a batch that is about to be committed, and answer all marks as bytes for the same transaction."""
        ...


class Model(Protocol):
    """What learns from history and judges the present. `history` and `window` are what a `Reader` answers."""

    def fit(self, history: pa.Table) -> Self:
        """Learn. The same history and seed give the same model."""
        ...

    def predict(self, window: pa.Table) -> Prediction:
        """Judge one asset by its recent values; bad or missing values widen the interval, they never raise."""
        ...


class Plant(Protocol):
    """What a connector may know of the plant: its assets and the tags that are declared."""

    @property
    def assets(self) -> Sequence[Asset]:
        """Every asset of the plant file."""
        ...

    def tag(self, path: str) -> Tag | None:
        """What is declared about the tag at the full path, or None."""
        ...


class Connector(Protocol):
    """What a connector's module exposes as `CONNECTOR`, found by the entry point group `shopfloor.connectors`.

    A source whose attribute `overlaps` is true can be connected a second time: when its configuration changes, the new
    one delivers before the old one ends; the coroutine `caught_up` of the old one, where it has one, ends when all that
    was there to be delivered before the call is committed.

    A source whose attribute `background` is true (a recording, say) is read only while the spool is nearly empty,
    so that live values never queue behind it. A source may count in `malformed` what was no value at all (a
    message that is no JSON) and say in `malformed_sentence` what the last one was.
    """

    kind: str
    options: type[Any]  # a pydantic model: the documented keys of this source in the plant file

    def build(self, name: str, options: Any, plant: Plant, folder: Path) -> Source:
        """Make the source. A constructor stores; `open` acts.

        `folder` is the gateway's data folder, where a connector may keep files of its own (certificates, say).
        """
        ...
