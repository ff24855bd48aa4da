"""Control charts of the mock plant: the charts of the demonstration, judged by the real code over invented values."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from mock_signals import WORN, _seed
from shopfloor.plant import config
from shopfloor.services import clock
from shopfloor.services.plants import demo_plant
from shopfloor.services.quality import Charts
from shopfloor.services.quality.views import detail, head, row

S = 1_000_000_000
EVERY = {"probe.dimension": 900 * S, "probe.part": 900 * S, "bath.temperature": 8 * 3600 * S}
DAYS = 7


class Invented:
    """A reader of values that repeat at every look: a drifting tool, a bath that scatters by 3 °C."""

    def read(self, tags: Sequence[str], start: int, end: int, *, previous: bool = False) -> pa.Table:
        parts = [self._values(path, max(start, END - DAYS * 86_400 * S), end) for path in tags]
        tag, time, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        quality = np.zeros(len(time), np.uint32)
        return pa.table({"tag": pa.array(tag, pa.string()), "time": time, "value": value, "quality": quality})

    def _values(self, path: str, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        name, asset = path.rsplit("/", 1)[1], path.split("/")[-2]
        every = EVERY[name]
        number = np.arange(start // every + 1, end // every + 1)
        seed = _seed(asset)
        noise = np.array([np.random.default_rng([seed, int(one)]).normal() for one in number])
        if name == "probe.part":
            value = number.astype(float)
        elif name == "probe.dimension":
            wear = (number + seed) % 40 / 40 * (22.0 if asset == WORN else 4.0)
            value = -4 + wear + 3.2 * noise + 30.0 * (number == END // every) * (asset == WORN)
        else:
            value = 962 + 3.0 * noise + (14.0 * (number > END // every - 2) if asset == "pot-13" else 0.0)
        return np.full(len(number), path, object), number * every, value.round(1)


END = clock.now()


def charts() -> Charts:
    """Charts that know their history, and go on; their thread ends with the process."""
    plant = config.load(demo_plant(), environ={})
    made = Charts(plant, Invented(), Path(tempfile.mkdtemp()), clock.now, lambda: True)  # type: ignore[arg-type]
    for chart in made.charts.values():
        made._turn(chart, END)
    made.start()
    return made


def listed(made: Charts) -> list[dict[str, object]]:
    return sorted(
        (row(chart) | {"silent": False} for chart in made.charts.values()), key=lambda one: one["state"] != "out"
    )


def one(made: Charts, name: str, asset: str, start: float, end: float) -> dict[str, object] | None:
    chart = made.charts.get((asset, name))
    if chart is None:
        return None
    told = head(chart) | {"revisions": []}
    return told | detail(chart.process, round(start * 1e6), round(end * 1e6))
