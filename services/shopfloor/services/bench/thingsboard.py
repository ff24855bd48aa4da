"""thingsboard-gateway 3.8.5 in an environment of its own, its configuration for a load, and its stand-in platform."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench.worker import Worker, module, started

REQUIREMENTS: Final = ("thingsboard-gateway==3.8.5", "asyncua==1.1.5")
"""It installs asyncua 1.1.5 by itself when it first connects, whatever is there: so that is there before."""

_LOGS: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "WARNING"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
}


def configure(folder: Path, *, broker: int, url: str, node: str, items: int, sqlite: bool) -> None:
    """Write its configuration: subscriptions, source times, QoS 1, and a buffer in memory or in SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("data", "logs"):
        (folder / name).mkdir(exist_ok=True)
    gateway = {
        "thingsboard": {
            "host": "127.0.0.1", "port": broker, "remoteShell": False, "remoteConfiguration": False, "qos": 1,
            "security": {"type": "accessToken", "accessToken": "bench"}, "maxPayloadSizeBytes": 65_536,
            "statistics": {"enable": False}, "minPackSendDelayMS": 50, "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 3_600,
        },
        "storage": _storage(folder, sqlite=sqlite),
        "grpc": {"enabled": False},
        "connectors": [{"name": "load", "type": "opcua", "configuration": "opcua.json"}],
    }  # fmt: skip
    (folder / "tb_gateway.json").write_text(json.dumps(gateway))
    (folder / "logs.json").write_text(json.dumps(_LOGS))
    (folder / "opcua.json").write_text(json.dumps(_connector(url, node, items)))


def _storage(folder: Path, *, sqlite: bool) -> dict[str, Any]:
    if sqlite:
        return {"type": "sqlite", "data_file_path": f"{folder / 'data'}/", "messages_ttl_in_days": 7}
    return {"type": "memory", "read_records_count": 1_000, "max_records_count": 1_000_000}


def _connector(url: str, node: str, items: int) -> dict[str, Any]:
    series = [
        {
            "key": f"t{i}",
            "type": "identifier",
            "value": f"${{{node.format(i)}}}",
            "timestampLocation": "sourceTimestamp",
        }
        for i in range(items)
    ]
    return {
        "server": {
            "url": url, "timeoutInMillis": 30_000, "scanPeriodInMillis": 3_600_000, "pollPeriodInMillis": 3_600_000,
            "enableSubscriptions": True, "subCheckPeriodInMillis": 100, "subDataMaxBatchSize": 2_000,
            "subDataMinBatchCreationTimeMs": 200, "sessionTimeoutInMillis": 120_000, "showMap": False,
            "security": "None", "identity": {"type": "anonymous"},
        },
        "mapping": [{
            "deviceNodeSource": "path", "deviceNodePattern": "Root\\.Objects",
            "deviceInfo": {
                "deviceNameExpression": "load", "deviceNameExpressionSource": "constant",
                "deviceProfileExpression": "default", "deviceProfileExpressionSource": "constant",
            },
            "attributes": [], "timeseries": series, "rpc_methods": [], "attributes_updates": [],
        }],
    }  # fmt: skip


@contextmanager
def running(python: Path, folder: Path) -> Iterator[Worker]:
    """The gateway as configured in `folder`."""
    environment = {**os.environ, "TB_GW_CONFIG_DIR": f"{folder}/", "TB_GW_LOGS_PATH": str(folder / "logs")}
    command = [str(python.with_name("thingsboard-gateway"))]
    with started("thingsboard-gateway", command, folder, environment=environment, announces=False) as worker:
        yield worker


@contextmanager
def platform(folder: Path, port: int, items: int, *, keep: bool = False) -> Iterator[Worker]:
    """The stand-in of its server at the broker on `port`; it says `first` when values have begun to come."""
    plan = {"port": port, "items": items, "keep": keep}
    with started("platform", module("peers.thingsboard_platform", plan), folder) as worker:
        yield worker
