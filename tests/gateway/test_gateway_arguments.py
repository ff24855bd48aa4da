"""What the gateway refuses on its command line."""

from __future__ import annotations

import argparse

import pytest
from shopfloor.gateway import main


@pytest.mark.parametrize("url", ["foo", "http://", "http://h:99999", "opc.tcp://h:1"])
def test_a_server_that_is_no_address_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    main.add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--config", "plant.yaml", "--data", "data", "--server", url])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(": write it as http://host:port\n")
