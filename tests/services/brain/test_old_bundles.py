"""A plant that comes from an earlier version: its models are learned again, and one sentence says so."""

import json
import time

from shopfloor.models.columns import DAY
from shopfloor.plant import Asset, AssetPath
from shopfloor.services.brain import Brain
from shopfloor.services.brain.cards import card
from shopfloor.services.registry import Registry
from simulated_past import MemoryReader


class Plant:
    assets = (Asset(AssetPath.parse("works/frames/machining/cell/m-00"), "machine-tool", "M 0"),)


def test_a_bundle_of_the_first_format_is_learned_again(tmp_path, caplog):
    old = tmp_path / "dimension"
    old.mkdir()
    first = {"name": "dimension", "target": "dimension", "files": {}, "format": 1}
    (old / "manifest.json").write_text(json.dumps(first, indent=1, sort_keys=True))
    asked = []
    with Registry.open(tmp_path / "registry", lambda: DAY, card) as registry:
        brain = Brain(
            Plant(), MemoryReader({}, DAY), tmp_path, lambda: DAY, registry, lambda: bool(asked.append("history"))
        )
        brain.start()
        while not asked:
            time.sleep(0.01)
        assert brain.status()["state"] == "waiting"
        brain.stop()
    assert "The bundle dimension is of format 1, this version reads 2 and 3: train again." in caplog.text
