# ruff: noqa: E501 (a table reads best with one tag a line)
"""Tags of a reduction pot and their sensors."""

from __future__ import annotations

from typing import Final

from shopfloor.plant import Kind
from shopfloor.simulators.line import TagSpec

STATE_NAMES: Final = ("NORMAL", "OVERFEED", "UNDERFEED", "TAPPING", "ANODE_CHANGE", "ANODE_EFFECT")

TAGS: Final = (
    TagSpec("voltage", "V", rate=5, browse="Voltage", noise=0.006, lag_s=0.6, resolution=0.001, deadband=0.019, low=0, high=60),
    TagSpec("current", "kA", rate=5, browse="Current", noise=0.12, lag_s=0.5, resolution=0.01, deadband=0.5, low=0, high=400),
    TagSpec("resistance", "uOhm", rate=5, browse="Resistance", noise=0.018, lag_s=6.0, resolution=0.001, deadband=0.046, low=0, high=200),
    TagSpec("noise", "mV", rate=5, browse="Noise", noise=0.8, lag_s=20.0, resolution=0.1, deadband=2.0, low=0, high=500),
    TagSpec("duct.temperature", "°C", rate=5, browse="DuctTemperature", noise=0.25, lag_s=30.0, resolution=0.1, deadband=0.75, low=0, high=400),
    TagSpec("feed.rate", "kg/h", rate=5, browse="FeedRate", noise=0.4, lag_s=8.0, resolution=0.1, deadband=3.0, low=0, high=2000),
    TagSpec("beam.position", "mm", rate=1, browse="BeamPosition", noise=0.02, resolution=0.1, deadband=0.25, low=0, high=600),
    TagSpec("bath.height", "cm", rate=1, browse="BathHeight", noise=0.02, lag_s=10.0, resolution=0.1, deadband=0.25, low=0, high=60),
    TagSpec("energy.total", "kWh", rate=1, browse="Energy", resolution=0.01, deadband=60.0, low=0),
    TagSpec("state", kind=Kind.TEXT, browse="State", states=STATE_NAMES),
    TagSpec("anode_effect", browse="AnodeEffect"),
    TagSpec("feeder.count", kind=Kind.INT, browse="FeederCount"),
    TagSpec("bath.temperature", "°C", browse="BathTemperature", resolution=0.1),
    TagSpec("metal.height", "cm", browse="MetalHeight", resolution=0.1),
    TagSpec("alf3.excess", "%", browse="Alf3Excess", resolution=0.01),
    TagSpec("metal.tapped", "kg", browse="MetalTapped", resolution=1),
    TagSpec("setpoint.voltage", "V", browse="SetpointVoltage", low=3.95, high=4.50),
    TagSpec("setpoint.feed", "%", browse="SetpointFeed", low=60, high=140),
    TagSpec("setpoint.alf3", "kg/d", browse="SetpointAlf3", low=0, high=100),
)  # fmt: skip
