# ruff: noqa: E501 (a table reads best with one tag a line)
"""Tags of a machine tool and their sensors."""

from __future__ import annotations

from typing import Final

from shopfloor.plant import Kind
from shopfloor.simulators.line import TagSpec

STATE_NAMES: Final = ("STOPPED", "IDLE", "STARTING", "EXECUTE", "COMPLETE", "HELD", "ABORTED")
PROGRAMS: Final = ("FRAME-A", "FRAME-B", "FRAME-C")

_INT: Final = Kind.INT
_TEXT: Final = Kind.TEXT
TAGS: Final = (
    TagSpec("spindle.speed", "rpm", rate=10, browse="Monitoring/Spindle/Speed", noise=3.0, lag_s=0.2, resolution=1, deadband=100, low=0, high=12000),
    TagSpec("spindle.load", "%", rate=10, browse="Monitoring/Spindle/Load", noise=0.35, lag_s=0.25, resolution=0.1, deadband=2.0, low=0, high=200),
    TagSpec("spindle.power", "kW", rate=10, browse="Monitoring/Spindle/Power", noise=0.03, lag_s=0.25, resolution=0.01, deadband=0.12, low=0, high=25),
    TagSpec("axis.x.load", "%", rate=10, browse="Monitoring/Axes/X/Load", noise=0.6, lag_s=0.25, resolution=0.1, deadband=2.4, low=0, high=150),
    TagSpec("axis.y.load", "%", rate=10, browse="Monitoring/Axes/Y/Load", noise=0.6, lag_s=0.25, resolution=0.1, deadband=2.4, low=0, high=150),
    TagSpec("axis.z.load", "%", rate=10, browse="Monitoring/Axes/Z/Load", noise=0.5, lag_s=0.25, resolution=0.1, deadband=2.0, low=0, high=150),
    TagSpec("vibration.rms", "mm/s", rate=10, browse="Monitoring/Spindle/Vibration", noise=0.06, lag_s=0.25, resolution=0.01, deadband=0.2, low=0, high=50),
    TagSpec("feed.rate", "mm/min", rate=10, browse="Monitoring/FeedRate", noise=1.2, lag_s=0.2, resolution=1, deadband=60, low=0, high=10000),
    TagSpec("coolant.flow", "l/min", rate=10, browse="Monitoring/Coolant/Flow", noise=0.12, lag_s=0.4, resolution=0.1, deadband=0.8, low=0, high=60),
    TagSpec("spindle.torque", "Nm", rate=10, browse="Monitoring/Spindle/Torque", noise=0.05, lag_s=0.25, resolution=0.01, deadband=0.24, low=0, high=60),
    TagSpec("spindle.temperature", "°C", rate=1, browse="Monitoring/Spindle/Temperature", noise=0.04, lag_s=20, resolution=0.1, deadband=0.15, low=-20, high=150),
    TagSpec("bearing.temperature", "°C", rate=1, browse="Monitoring/Spindle/BearingTemperature", noise=0.05, lag_s=20, resolution=0.1, deadband=0.2, low=-20, high=150),
    TagSpec("coolant.temperature", "°C", rate=1, browse="Monitoring/Coolant/Temperature", noise=0.03, lag_s=20, resolution=0.1, deadband=0.15, low=-20, high=100),
    TagSpec("coolant.concentration", "%", rate=1, browse="Monitoring/Coolant/Concentration", noise=0.01, lag_s=60, resolution=0.01, deadband=0.06, low=0, high=20),
    TagSpec("energy.total", "kWh", rate=1, browse="Monitoring/Energy/Total", resolution=0.001, deadband=0.1, low=0),
    TagSpec("state", kind=_TEXT, browse="PackML/State", states=STATE_NAMES),
    TagSpec("program", kind=_TEXT, browse="Production/Program", states=PROGRAMS),
    TagSpec("material.lot", kind=_TEXT, browse="Production/MaterialLot", text="L-{:06d}".format),
    TagSpec("part.count", kind=_INT, browse="Production/PartCount"),
    TagSpec("part.id", kind=_INT, browse="Production/PartId"),
    TagSpec("cycle.time", "s", browse="Production/CycleTime"),
    TagSpec("tool.id", kind=_INT, browse="Tool/Id"),
    TagSpec("tool.minutes", "min", browse="Tool/Minutes", resolution=0.01),
    TagSpec("tool.changes", kind=_INT, browse="Tool/Changes"),
    TagSpec("probe.part", kind=_INT, browse="Quality/ProbePart"),
    TagSpec("probe.dimension", "um", browse="Quality/ProbeDimension", resolution=0.1),
    TagSpec("alarm.code", kind=_INT, browse="Monitoring/AlarmCode"),
    TagSpec("setpoint.speed", "m/min", browse="Setpoints/Speed", low=140, high=240),
    TagSpec("setpoint.feed", "mm/rev", browse="Setpoints/Feed", low=0.10, high=0.28),
    TagSpec("setpoint.offset", "um", browse="Setpoints/Offset", low=-40, high=40),
    TagSpec("setpoint.tool_limit", "min", browse="Setpoints/ToolLimit", low=20, high=300),
)  # fmt: skip
