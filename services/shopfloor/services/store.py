"""The store of a plant: opened as its plant file says, and what health says of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from shopfloor.plant import Batch, ConfigError, Kind, Sample
from shopfloor.plant.condition import is_conditions
from shopfloor.plant.config import PlantConfig
from shopfloor.plant.config.store import ForwardSection
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.historian import Historian, Options, Product, Retention, StoreReader, Target

_LAST: Final = (1 << 63) - 1


def opened(config: PlantConfig, folder: Path, time: Clock) -> Historian:
    """The embedded store with its copies in server stores; pages read from the first where the plant file says so."""
    targets = [_target(section) for section in config.store.targets]
    historian = Historian.open(folder, clock=time, options=_options(config), targets=targets)
    if config.store.kind != "embedded":
        historian.read_from(historian.forwards[0])
    return historian


def recall(catalog: Catalog, reader: StoreReader) -> None:
    """Take up the tags that a store knows beyond the plant file."""
    latest = reader.latest()
    for tag, text in zip(latest.column("tag").to_pylist(), latest.column("text").to_pylist(), strict=True):
        catalog.learn((tag,), Kind.FLOAT if text is None else Kind.TEXT)


def recall_states(see: Callable[[str, int, str], None], tags: Collection[str], historian: Historian) -> None:
    """Tell the newest text of each of these tags, with its time (UTC ns)."""
    if tags:
        latest = historian.reader.latest()
        columns = (latest["tag"], latest["time"].cast(pa.int64()), latest["text"])
        for tag, time, text in zip(*(column.to_pylist() for column in columns), strict=True):
            if tag in tags and text is not None:
                see(tag, time, text)


def recall_conditions(watch: Callable[[Batch], None], followed: Mapping[str, int], historian: Historian) -> None:
    """Hand over what devices said after the moments up to which it was followed (UTC ns), by tag.

    A server that died between storing a statement and following it does so now.
    """
    tags = [tag for tag in historian.reader.latest().column("tag").to_pylist() if is_conditions(tag)]
    for tag in tags:
        table = historian.reader.read([tag], followed.get(tag, 0) + 1, _LAST)
        times, texts = table["time"].cast(pa.int64()).to_pylist(), table["text"].to_pylist()
        rows = [Sample(tag, time, text) for time, text in zip(times, texts, strict=True) if text is not None]
        if rows:
            watch(Batch.of(rows, Kind.TEXT))


def told(historian: Historian) -> dict[str, Any]:
    """Sizes, state and copies, times as epoch ms."""
    stats = historian.stats()
    times = {key: None if stats[key] is None else to_ms(stats[key]) for key in ("oldest", "newest")}
    return {key: stats[key] for key in ("rows", "bytes", "segments", "state", "sentence", "targets")} | times


def _options(config: PlantConfig) -> Options:
    keep = config.store.retention
    return Options(retention=Retention(keep.raw, keep.minutes, keep.hours, tuple(keep.tags.items())))


def _target(section: ForwardSection) -> Target:
    token = _token(section.url, section.token_file) if section.token_file else ""
    product = Product(section.kind)
    return Target(product, section.url, section.org, section.bucket, token, section.compress)


def _token(url: str, file: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"The token of {url} cannot be read from {file} ({problem}):"
            " write it there, or take the server out of 'store' in the plant file."
        ) from problem
