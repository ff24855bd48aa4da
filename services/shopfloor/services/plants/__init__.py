"""Plant files that the product ships."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def demo_plant() -> Path:
    """The plant file of the demonstration: 20 machine tools over OPC UA, 40 reduction pots over MQTT."""
    return Path(str(files(__name__))) / "demo.yaml"
