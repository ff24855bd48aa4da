"""What `docs/lookout.md` shows works: its folder comes in by its command, and its notebook reads what is normal."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))

from running_server import Running, running
from shopfloor.services.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "lookout.md").read_text("utf-8")
SENSORS = "Timestamp,Current,Temp\n2020/1/1 {hour}:00,2,12\n2020/1/1 {hour}:05,3,11\n"


def block(language: str, which: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)[which]


def month(seed: int) -> str:
    """An hour between rows, for a month."""
    random = np.random.default_rng(seed).normal(size=(31 * 24, 2))
    rows = (f"2020/1/{i // 24 + 1} {i % 24}:00,{a:.3f},{b:.3f}" for i, (a, b) in enumerate(random.tolist()))
    return "\n".join(["Timestamp,Current,Temp", *rows])


def bring_in(server: Running, folder: Path, *, whole_month: bool = False) -> int:
    for hour, name in enumerate(re.findall(r"^(pump-01/\S+\.csv) ", PAGE, re.M)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(month(hour) if whole_month else SENSORS.format(hour=hour))
    (folder / "labels.csv").write_text(*re.findall(r"^labels\.csv +(\S+ \S+ \S+)$", PAGE, re.M))
    (command,) = block("sh").replace("\\\n", "").splitlines()
    command = command.replace("http://127.0.0.1:8000", server.url).replace("/var/lib/shopfloor", str(server.folder))
    return main(shlex.split(command)[1:])


def test_the_folder_of_the_page_comes_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "data") as server:
        assert bring_in(server, tmp_path) == 0
        said = capsys.readouterr().out
    assert "15 values stored: 4 tags of delta/utilities/water/station-1/pump-01 from 3 files." in said
    assert "1 window of labels" in said


def test_the_notebook_of_the_page_reads_what_is_normal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "data") as server:
        assert bring_in(server, tmp_path) == 0
        names: dict[str, object] = {}
        exec(compile(block("python").replace("http://127.0.0.1:8000", server.url), "docs/lookout.md", "exec"), names)
    assert [len(names[name]) for name in ("frame", "normal")] == [8, 7]  # type: ignore[arg-type]


def test_what_is_usual_is_learned_by_the_command_of_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "data") as server:
        assert bring_in(server, tmp_path, whole_month=True) == 0
        code = block("python") + block("python", 1)
        exec(compile(code.replace("http://127.0.0.1:8000", server.url), "docs/lookout.md", "exec"), {})
    assert main(shlex.split(block("sh", 2))[1:]) == 0
    assert "Ready to watch" in capsys.readouterr().out
    assert (tmp_path / "pump-01.card.html").is_file()
