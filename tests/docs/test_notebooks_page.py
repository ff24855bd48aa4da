"""The notebooks of docs/notebooks run against a real server, and print what docs/notebooks.md shows."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
MASKS = ((r"\d+\.\d+(e-?\d+)?", "#"), (r"█+", "█"), (r" +", " "), (r"\b\d+(?=%)", "#"))
"""What differs from machine to machine: measured numbers, and the lengths of bars."""


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks_page", ROOT / "docs/notebooks_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stable(page: str) -> str:
    for pattern, mark in MASKS:
        page = re.sub(pattern, mark, page)
    return page


def test_every_notebook_prints_what_the_page_shows(writer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPFLOOR_URL", "SHOPFLOOR_END"):
        monkeypatch.setenv(name, "")
    shown = stable((ROOT / "docs/notebooks.md").read_text("utf-8"))
    scripts = sorted((ROOT / "docs/notebooks").glob("*.py"))
    assert len(scripts) == 2
    with writer.past() as server:
        for script in scripts:
            assert stable(writer.played(script, server.url)) in shown, f"{script.name}: run `make notebooks`"
