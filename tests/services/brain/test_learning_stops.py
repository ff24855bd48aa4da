"""A training that is stopped, or whose process ends, while it is still fed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from shopfloor.plant import Asset, AssetPath
from shopfloor.services.brain import learning
from shopfloor.services.brain.learning import Learning, TrainingFailed


def test_a_process_that_ends_while_it_is_fed_is_a_failed_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*_: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.exit(3)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        process.wait()
        return process

    def send(stream: object, *_: object) -> None:
        stream.write(b"x" * 100)  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]

    monkeypatch.setattr(Learning, "_process", begin)
    monkeypatch.setattr(learning, "tables", lambda *_, **__: [])
    monkeypatch.setattr(learning, "send", send)
    asset = Asset(AssetPath.parse("a/b/c/d/e"), "mill", "E")
    with pytest.raises(TrainingFailed, match="The training ended with code 3"):
        Learning(None, [asset], tmp_path, lambda _: None).run(0, 1)  # type: ignore[arg-type]
