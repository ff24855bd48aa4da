"""The Python of docs/quality.md runs, and its plant file is one."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from shopfloor.plant import config

PAGE = (Path(__file__).parents[2] / "docs/quality.md").read_text("utf-8")


def test_the_python_of_the_page_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/quality.md", "exec"), {})


def test_the_charts_of_the_page_are_understood() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    asset = {"path": "delta/frames/machining/cell-a/cnc-01", "type": "machine-tool"}
    plant = config.loads(yaml.safe_dump({"plant": {"site": "delta"}, **yaml.safe_load(text), "assets": [asset]}))
    assert set(plant.types["machine-tool"].charts) == {"dimension", "mean", "scrap"}
