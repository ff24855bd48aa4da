"""The example of docs/bundles.md runs, and what it makes is a bundle."""

import re
from pathlib import Path

from shopfloor.models.bundle import verify

PAGE = (Path(__file__).parents[2] / "docs" / "bundles.md").read_text()


def test_the_example_makes_a_bundle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/bundles.md", "exec"), {})
    assert [path.name for path in tmp_path.iterdir()] == ["dimension.shopfloor"]
    assert verify(tmp_path / "dimension.shopfloor").unit == "um"
