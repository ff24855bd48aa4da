"""What the machine tool is described by: its states, constants, setpoints, faults, and where each stands in its row."""

from __future__ import annotations

from typing import Final

from shopfloor.simulators.line import AlarmSpec, FaultSpec, Param, Row, SetpointSpec
from shopfloor.simulators.lines.machining_cutting import SPEED_0

STOPPED, IDLE, STARTING, EXECUTE, COMPLETE, HELD, ABORTED = range(7)
CUT_SECONDS: Final = (66.0, 84.0, 74.0)
DEPTH: Final = (2.2, 2.5, 2.8)
PATTERN: Final = (
    (0.80, 1.05, 1.15, 0.95, 1.10, 0.85),
    (0.90, 1.10, 0.95, 1.15, 1.05, 0.80),
    (1.05, 0.85, 1.10, 1.00, 0.85, 1.15),
)
ALARM_BREAKAGE: Final = 201
ALARM_COOLANT: Final = 305
ALARM_BEARING: Final = 410
TOLERANCE_UM: Final = 30.0
PROBE_DELAY: Final = 300
LOT_SECONDS: Final = 5 * 3600
SHIFT: Final = 8 * 3600
LOCAL: Final = 8 * 3600

STATES: Final = (
    "phase", "left", "cut_s", "begun", "ended", "part", "count", "program", "lot", "hardness",
    "tool", "tool_minutes", "tool_shown", "tool_changes", "wear", "tool_factor", "tool_limit", "tool_set", "tool_vib",
    "rpm", "force", "life", "chatter", "spindle_c", "bearing_c", "coolant_c", "concentration", "clog", "bearing",
    "kwh", "probe_part", "probe_dim", "probe_due", "shown_part", "shown_dim", "last_part", "last_dimension",
    "cycle", "alarm", "wants_tool", "next_setup", "worn_latch", "broken_latch",
)  # fmt: skip
(
    PHASE, LEFT, CUT_S, BEGUN, ENDED, PART, COUNT, PROGRAM, LOT, HARDNESS,
    TOOL, TOOL_MINUTES, TOOL_SHOWN, TOOL_CHANGES, WEAR, TOOL_FACTOR, TOOL_LIMIT, TOOL_SET, TOOL_VIB,
    RPM, FORCE, LIFE, CHATTER, SPINDLE_C, BEARING_C, COOLANT_C, CONCENTRATION, CLOG, BEARING,
    KWH, PROBE_PART, PROBE_DIM, PROBE_DUE, SHOWN_PART, SHOWN_DIM, LAST_PART, LAST_DIMENSION,
    CYCLE, ALARM, WANTS_TOOL, NEXT_SETUP, WORN_LATCH, BROKEN_LATCH,
) = range(len(STATES))  # fmt: skip

PARAMS: Final = (
    Param("plant_key", 0.0, "-", "key of what all machines share"),
    Param("taylor_n", 0.25, "-", "carbide 0.2 to 0.3"),
    Param("life", 104.0, "min", "nominal minutes to VB 0.3 mm at 200 m/min and 0.18 mm/rev", spread=0.10),
    Param("stiffness", 1.0, "-", "power and force of this machine against nominal", spread=0.06),
    Param("vibration", 1.0, "-", "level of this machine's vibration", spread=0.16),
    Param("bias", 1.0, "-", "how far this fixture sets the part, against 12 um", spread=0.30),
    Param("growth", 1.35, "um/K", "thermal growth of the column per kelvin of the spindle", spread=0.15),
    Param("damping", 0.042, "-", "damping of the tool point", spread=0.05),
)
P_PLANT, P_TAYLOR, P_LIFE, P_STIFF, P_VIB, P_BIAS, P_GROWTH, P_DAMPING = range(len(PARAMS))

SETPOINTS: Final = (
    SetpointSpec("setpoint.speed", "m/min", SPEED_0, 140.0, 240.0),
    SetpointSpec("setpoint.feed", "mm/rev", 0.18, 0.10, 0.28),
    SetpointSpec("setpoint.offset", "um", 0.0, -40.0, 40.0),
    SetpointSpec("setpoint.tool_limit", "min", 200.0, 20.0, 300.0),
)
SPEED, FEED, OFFSET, TOOL_LIMIT_SET = range(len(SETPOINTS))

FAULTS: Final = (
    FaultSpec("worn_tool", "The tool in the spindle wears up to eight times as fast.", ("spindle.power",)),
    FaultSpec("breakage", "The tool breaks in the next cut.", ("alarm.code", "state")),
    FaultSpec("chatter", "A loose holder takes the damping away: the cut chatters.", ("vibration.rms",)),
    FaultSpec("coolant_loss", "The coolant runs dry.", ("coolant.flow", "coolant.temperature")),
    FaultSpec("bearing", "The spindle bearing is damaged and gets worse.", ("vibration.rms", "bearing.temperature")),
)
ALARMS: Final = (
    AlarmSpec(
        "Tool broken", "tool.id", "alarm.code", ALARM_BREAKAGE, 900,
        "The tool in the spindle is broken (201): change it, and look at the part.", confirm=True,
    ),
    AlarmSpec(
        "No coolant", "coolant.flow", "alarm.code", ALARM_COOLANT, 700,
        "The coolant runs dry in the cut (305): fill the tank, clean the filter.",
    ),
    AlarmSpec(
        "Spindle bearing hot", "bearing.temperature", "alarm.code", ALARM_BEARING, 500,
        "The spindle bearing is above 75 °C (410): let it cool, plan its replacement.",
    ),
)  # fmt: skip
F_WORN, F_BREAK, F_CHATTER, F_COOLANT, F_BEARING = range(len(FAULTS))

(
    Y_SPEED, Y_LOAD, Y_POWER, Y_X, Y_Y, Y_Z, Y_VIB, Y_FEED, Y_FLOW, Y_TORQUE,
    Y_SPINDLE_C, Y_BEARING_C, Y_COOLANT_C, Y_CONCENTRATION, Y_KWH,
    Y_STATE, Y_PROGRAM, Y_LOT, Y_COUNT, Y_PART, Y_CYCLE, Y_TOOL, Y_MINUTES, Y_CHANGES, Y_PROBE_PART, Y_PROBE_DIM,
    Y_ALARM,
) = range(27)  # fmt: skip

(
    C_INIT, C_LOAD, C_WAIT, C_WAIT_S, C_TOOL_LIFE, C_TOOL_LIMIT, C_TOOL_SET, C_TOOL_VIB, C_NOTICE, C_CHANGE, C_BREAK,
    C_REPAIR, C_SETUP, C_REPEAT, C_PROBE, C_LOT, C_BAD_LOT, C_WEAR, C_WEATHER, C_FORCE, C_SHIFT, C_VIB, C_CHATTER,
    C_FILL,
) = range(1, 25)  # fmt: skip


def enter(x: Row, phase: int, seconds: float) -> None:
    """The machine is in a phase for so many seconds."""
    x[PHASE] = phase
    x[LEFT] = seconds
