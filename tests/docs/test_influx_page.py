"""What `docs/influx.md` shows works: its Python, its query, its paths."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import POWER, Running, Sample, plant, running
from shopfloor.plant.config import InfluxDoorSection
from shopfloor.services.influx.line import read_head
from shopfloor.services.influx.names import Names
from shopfloor.services.influx.ql.parser import FUNCTIONS, parse

PAGE = (Path(__file__).parents[2] / "docs" / "influx.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.S | re.M)


def test_the_python_of_the_page_writes_and_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, plant()) as server:
        token, port = server.parts.tokens.create("page"), str(server.client.base_url.port)
        for block in blocks("python"):
            exec(block.replace("the token", token).replace("8000", port), {})
    assert "'load': 0.64" in capsys.readouterr().out


def test_the_query_of_the_page_is_answered(tmp_path: Path) -> None:
    (query,) = blocks("sql")
    with running(tmp_path) as server:
        feed(server)
        (result,) = server.client.get("/query", params={"db": "shopfloor", "q": query}).json()["results"]
        assert [row[1] for one in result["series"] for row in one["values"]] == [2]
    assert all(name in PAGE for name in FUNCTIONS)
    assert parse(query, 0)


def feed(server: Running) -> None:
    server.feed(Sample(POWER, server.parts.clock(), 2.0))


def test_the_paths_of_the_page_are_those_that_lines_get() -> None:
    line = read_head(b"cpu,cpu=cpu0,host=press-pc")
    assert Names(InfluxDoorSection(), "delta").path("it", line, "usage_idle") in PAGE
    (text,) = blocks("yaml")
    section = InfluxDoorSection.model_validate(yaml.safe_load(text)["server"]["influx"])
    assert Names(section, "delta").path("it", line, "usage_idle") == "delta/it/servers/press-pc/cpu0/usage_idle"
