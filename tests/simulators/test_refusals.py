"""What `simulate` and `replay` refuse, each in one sentence and with exit code 2."""

from __future__ import annotations

import argparse
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from shopfloor.simulators import main, replay
from shopfloor.simulators.checkpoint import Checkpoint, CheckpointError


def simulate(*words: object) -> int:
    parser = argparse.ArgumentParser()
    main.add_arguments(parser)
    return main.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    "words", [("--machines", "0"), ("--machines", "500"), ("--opcua-port", "99999"), ("--lab-port", "x")]
)
def test_numbers_out_of_range(tmp_path: Path, words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate("machining", "--state", tmp_path, *words)
    assert ended.value.code == 2
    assert f"'{words[1]}' is no whole number from" in capsys.readouterr().err


def test_a_fault_of_an_asset_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("machining", "--state", tmp_path, "--break", "cnc-99:worn_tool:1:-1m:1h", "--machines", "1") == 2
    assert "There is no asset 'cnc-99' in this line to break: name one as in cnc-01." in capsys.readouterr().err


def test_a_state_that_is_a_file_and_a_manifest_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert simulate("machining", "--state", tmp_path / "file") == 2
    assert "file cannot be used (File exists): name another folder" in capsys.readouterr().err
    (tmp_path / "manifest.json").write_text("{")
    words = ("--history", "1m", "--recordings", tmp_path, "--machines", "1")
    assert simulate("machining", "--state", tmp_path / "state", *words) == 2
    assert "manifest.json is no manifest of a recording" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    file = tmp_path / "machining.checkpoint"
    file.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=r"machining.checkpoint: 7 bytes are no checkpoint: delete the file"):
        Checkpoint.load(file)


def test_a_taken_port(tmp_path: Path, taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    assert replay.run(parser.parse_args([str(file), "--port", str(taken)])) == 2
    said = capsys.readouterr().err
    assert said == "shopfloor replay: The port is taken by another program: stop that one, or choose another port.\n"


@pytest.mark.parametrize("speed", ["nan", "inf", "0", "-1"])
def test_a_speed_that_is_none(speed: str) -> None:
    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["a.csv", "--speed", speed])


def test_the_manifest_of_a_finished_recording_is_believed(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    assert not main._complete(manifest)
    manifest.write_text(json.dumps({"complete": True}))
    assert main._complete(manifest)
