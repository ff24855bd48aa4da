"""The examples of docs/deploying.md run, and a server judges by what they make."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import running
from shopfloor.models.bundle import load
from shopfloor.models.streaming import proved_stream

PAGE = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text()


def test_the_example_makes_a_bundle_that_can_be_judged_live(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, call = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(compile(code, "docs/deploying.md", "exec"), names)
    assert [path.name for path in tmp_path.iterdir()] == ["heat.shopfloor"]
    spec = proved_stream(load(tmp_path / "heat.shopfloor"))
    assert spec is not None
    assert spec.tags == ("spindle.power", "spindle.temperature")
    with running(tmp_path / "data") as server:
        exec(compile(call.replace('by="Anna"', f'by="Anna", url="{server.url}"'), "docs/deploying.md", "exec"), names)
        said = re.findall(r"# (Version 1 of heat is judged on delta/frames as a shadow: )", call)
        assert str(names["found"]).startswith(said[0])
