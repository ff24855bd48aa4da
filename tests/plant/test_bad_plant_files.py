"""Every way to write a plant file wrong, and the exact sentences that it gets: `bad/EXPECTED.txt`."""

from __future__ import annotations

import os
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant import ConfigError, config

FOLDER = Path(__file__).parent / "bad"
ENVIRON = {"MQTT_URL": "mqtt://127.0.0.1:1883"}


def expected() -> dict[str, str]:
    """Lines of the table by the file that they begin with."""
    table: dict[str, list[str]] = defaultdict(list)
    for line in (FOLDER / "EXPECTED.txt").read_text().splitlines():
        table[line.partition(":")[0]].append(line)
    return {name: "\n".join(lines) for name, lines in table.items()}


EXPECTED = expected()


def options(plant: config.PlantConfig) -> dict[str, Any]:
    kinds = {source.kind for source in plant.sources}
    return {kind: import_module(f"shopfloor.gateway.{kind}").CONNECTOR.options for kind in kinds}


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yaml")))
def test_a_bad_file_gets_its_sentences(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ConfigError) as caught:  # noqa: PT012 (either step may say it)
        plant = config.load(name, ENVIRON)
        config.check_options(plant, options(plant))
    assert str(caught.value) == EXPECTED[name]


def test_every_line_of_the_table_has_its_file() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in FOLDER.glob("*.yaml"))
    assert len(EXPECTED) >= 45


@pytest.mark.parametrize("sentence", [line for said in EXPECTED.values() for line in said.splitlines()])
def test_a_sentence_has_its_place_and_ends(sentence: str) -> None:
    _, line, column, said = sentence.split(":", 3)
    assert int(line) > 0
    assert int(column) > 0
    assert said.endswith((".", "?"))
    assert len(said) < 230


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"plant.yaml: there is no such file: name a plant file, as in 'plant.yaml'\.$"
    ):
        config.load(tmp_path / "plant.yaml")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"this is a folder: name the plant file in it, as in '.*/plant.yaml'"):
        config.load(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read by this user: change its permissions"):
        config.load(file)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_bytes(b"#" * 4_000_001)
    with pytest.raises(ConfigError, match="4000001 bytes are too many: a plant file has at most 4000000"):
        config.load(file)
    with pytest.raises(ConfigError, match="4000001 characters are too many"):
        config.loads("#" * 4_000_001)


def test_nesting_that_exhausts_the_parser() -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        config.loads("a: " + "[" * 5000 + "]" * 5000)


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        config.loads("plant: {site: delta}\ngateway: {server: 'tcp://me:secret@host'}\n")
    assert "secret" not in str(caught.value)
