"""`shopfloor bundle`: proved, shown and moved by a person at a prompt."""

import hostile_bundles
import pytest
from shopfloor.services.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return hostile_bundles.bundles(("boosted",))["boosted"].save(tmp_path_factory.mktemp("bundles") / "boosted")


def test_a_sound_bundle_is_proved_and_shown(folder, capsys):
    assert main(["bundle", "verify", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("ok: boosted ")
    assert "120 golden rows answered as sealed" in said
    assert main(["bundle", "show", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "boosted (boosted), regression, ready" in said
    assert "score       MAE 1.0" in said


def test_a_damaged_one_is_one_sentence_and_1(folder, tmp_path, capsys):
    one = tmp_path / "one.shopfloor"
    assert main(["bundle", "export", str(folder), str(one)]) == 0
    assert main(["bundle", "verify", str(one)]) == 0
    capsys.readouterr()
    one.write_bytes(one.read_bytes()[:-1])
    assert main(["bundle", "verify", str(one)]) == 1
    said = capsys.readouterr()
    assert said.out == (
        "The bundle one.shopfloor cannot be read: it is cut short, compressed, or not written as bundles are;"
        " copy it again, or train again.\n"
    )
    assert said.err == ""


def test_nothing_is_written_over(folder, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    assert main(["bundle", "export", str(folder), str(tmp_path / "there")]) == 2
    assert "exists: name another place" in capsys.readouterr().err
