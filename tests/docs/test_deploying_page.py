"""The example of docs/deploying.md runs, and a server could judge by what it makes."""

import re
from pathlib import Path

from shopfloor.models.bundle import load
from shopfloor.models.streaming import proved_stream

PAGE = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text()


def test_the_example_makes_a_bundle_that_can_be_judged_live(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/deploying.md", "exec"), {})
    assert [path.name for path in tmp_path.iterdir()] == ["heat.shopfloor"]
    spec = proved_stream(load(tmp_path / "heat.shopfloor"))
    assert spec is not None
    assert spec.tags == ("spindle.power", "spindle.temperature")
