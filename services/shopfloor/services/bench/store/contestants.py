"""Ours and its peers, how each is started, and how old it is: an old peer must not be taken for a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.store.influxdb import influxdb
from shopfloor.services.bench.store.stores import Store, embedded
from shopfloor.services.bench.store.victoria import victoria

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A store, its title, when its release line began (empty: the current one), and how it is started in a folder."""

    name: str
    title: str
    year: str
    start: Callable[[Path], AbstractContextManager[Store]]


OURS: Final = "ours"
ALL: Final = (
    Contestant(OURS, "ours", "", lambda folder: embedded(OURS, "shopfloor", folder)),
    Contestant("duckdb", "DuckDB", "", lambda folder: embedded("duckdb", "duckdb", folder)),
    Contestant("victoriametrics", "VictoriaMetrics", "2022", victoria),
    Contestant("influxdb", "InfluxDB", "2018", influxdb),
)


def chosen(names: str) -> list[Contestant]:
    """The contestants of these names, as in "ours,duckdb"; all by default."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = [one.name for one in ALL]
    if unknown := set(wanted) - set(known):
        raise ShopfloorError(f"There is no store {sorted(unknown)[0]!r}: choose from {', '.join(known)}.")
    return [one for one in ALL if not wanted or one.name in wanted]


def label(row: Row) -> str:
    """Name, version and age, as they stand in every table.

    >>> label({"store": "influxdb", "version": "1.6.7"})
    'InfluxDB 1.6.7 (of 2018)'
    """
    one = next(one for one in ALL if one.name == row["store"])
    year = f" (of {one.year})" if one.year else ""
    return (
        f"**{one.title}** {row.get('version') or ''}".strip()
        if one.name == OURS
        else (f"{one.title} {row.get('version') or ''}".strip() + year)
    )


@contextmanager
def together(contestants: Sequence[Contestant], folder: Path) -> Iterator[tuple[list[Store], list[Row]]]:
    """All that are installed, running side by side, and a row for each that is not."""
    with ExitStack() as stack:
        stores: list[Store] = []
        absent: list[Row] = []
        for one in contestants:
            try:
                stores.append(stack.enter_context(one.start(folder / one.name)))
            except Absent as problem:
                absent.append({"store": one.name, "absent": str(problem)})
        yield stores, absent
