"""The plant file of docs/alarms.md is one, and every address it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from shopfloor.plant import config

PAGE = (Path(__file__).parents[2] / "docs/alarms.md").read_text("utf-8")


def test_what_the_page_writes_is_understood() -> None:
    limits, design, notify = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    names = ("flow", "oil.temperature", "bearing.temperature")
    pump = {"tags": dict.fromkeys(names, limits) | {"state": {"kind": "text"}}, **design["types"]["pump"]}
    plant = {
        "plant": {"site": "delta", "shifts": [{"name": "night", "begins": "22:00"}]},
        "types": {"pump": pump},
        "assets": [{"path": "delta/water/line-1/cell-1/pump-01", "type": "pump"}],
        **notify,
    }
    read = config.loads(yaml.safe_dump(plant))
    (limit,) = read.types["pump"].tags[0].limits
    assert (limit.off_delay_s, limit.realarm_s, limit.latch) == (10, 1800, True)
    assert [step.after for step in read.alarms.notify.routes[0].steps] == [0, 600, 1800]
    assert read.types["pump"].suppress[0].hold == 30
