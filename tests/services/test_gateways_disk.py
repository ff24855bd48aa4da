"""The posts of the gateways on a disk that does not take them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from shopfloor.services import clock
from shopfloor.services.gateways import Gateways


def test_a_full_disk_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "missing"
    gateways = Gateways(folder, clock.now)
    with caplog.at_level(logging.WARNING):
        gateways.save()
        gateways.save()
        assert len(caplog.records) == 1
        folder.mkdir()
        gateways.save()
        folder.joinpath("gateways.json").unlink()
        folder.rmdir()
        gateways.save()
    assert len(caplog.records) == 2
