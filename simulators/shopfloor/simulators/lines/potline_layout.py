"""What a pot is described by: its states, constants, setpoints, faults, and where each stands in its row."""

from __future__ import annotations

from typing import Final

from shopfloor.simulators.line import FaultSpec, Param, SetpointSpec

NORMAL, OVERFEED, UNDERFEED, TAPPING, ANODE_CHANGE, ANODE_EFFECT = range(6)
LINE_KA: Final = 300.0
SHOT_KG: Final = 1.8
EXTRAPOLATED_V: Final = 1.65
"""Voltage at zero current by which a pot controller turns voltage into pseudo-resistance."""
OVER: Final = 1.30
UNDER: Final = 0.70
SLOPE_LIMIT: Final = 0.15
"""Rise of the pseudo-resistance, uOhm/h, that ends an underfeed."""
OHM_PER_CM: Final = 1.25
"""What the controller expects of a centimetre of beam, uOhm."""

STATES: Final = (
    "mode", "left", "alumina", "sludge", "bath_c", "ledge", "acd", "alf3", "metal_kg", "beam", "anode_age",
    "feed_clock", "shots", "blocked_until", "blocked", "spike", "work_until", "work", "effect_until", "effects",
    "r_fast", "r_slow", "r_slope", "kwh", "bath_seen", "metal_seen", "alf3_seen", "alf3_sample", "alf3_due", "tapped",
    "liquidus", "efficiency", "metal_made", "quench", "waves", "late", "bias_v",
)  # fmt: skip
(
    MODE, LEFT, ALUMINA, SLUDGE, BATH_C, LEDGE, ACD, ALF3, METAL, BEAM, ANODE_AGE,
    FEED_CLOCK, SHOTS, BLOCKED_UNTIL, BLOCKED, SPIKE, WORK_UNTIL, WORK, EFFECT_UNTIL, EFFECTS,
    R_FAST, R_SLOW, R_SLOPE, KWH, BATH_SEEN, METAL_SEEN, ALF3_SEEN, ALF3_SAMPLE, ALF3_DUE, TAPPED,
    LIQUIDUS, EFFICIENCY, MADE, QUENCH, WAVES, LATE, BIAS_V,
) = range(len(STATES))  # fmt: skip

PARAMS: Final = (
    Param("plant_key", 0.0, "-", "key of what all pots share: the line current"),
    Param("external", 2.35, "uOhm", "cathode, anodes and bus bars", spread=0.05),
    Param("resistivity", 1.0, "-", "bath of this pot against nominal", spread=0.02),
    Param("efficiency", 0.945, "-", "current efficiency at 8 K superheat", spread=0.006),
    Param("top_loss", 372.0, "kW", "heat that leaves through the crust and the anodes", spread=0.03),
    Param("side", 29.0, "kW/K", "from bath to ledge per kelvin of superheat", spread=0.06),
    Param("critical", 1.0, "-", "alumina at which this pot goes on anode effect, against nominal", spread=0.05),
    Param("noise", 9.0, "mV", "voltage noise of a quiet pot", spread=0.20),
    Param("blocks", 0.26, "1/d", "blocked feeders per day", spread=0.45),
    Param("dissolve", 1.0, "-", "how well this pot dissolves its feed", spread=0.025),
)
P_PLANT, P_EXTERNAL, P_BATH, P_EFFICIENCY, P_TOP, P_SIDE, P_CRITICAL, P_NOISE, P_BLOCKS, P_DISSOLVE = range(len(PARAMS))

SETPOINTS: Final = (
    SetpointSpec("setpoint.voltage", "V", 4.20, 3.95, 4.50),
    SetpointSpec("setpoint.feed", "%", 100.0, 60.0, 140.0),
    SetpointSpec("setpoint.alf3", "kg/d", 38.0, 0.0, 100.0),
)
SET_V, SET_FEED, SET_ALF3 = range(len(SETPOINTS))

FAULTS: Final = (
    FaultSpec("feeder_block", "The point feeders are blocked: shots are counted and little arrives.", ("resistance",)),
    FaultSpec("anode_spike", "A spike under an anode touches the metal: noise, and less metal.", ("noise",)),
    FaultSpec("crust_open", "The crust is broken open: the pot loses heat.", ("duct.temperature",)),
)
F_BLOCK, F_SPIKE, F_CRUST = range(len(FAULTS))

(
    Y_V, Y_KA, Y_R, Y_NOISE, Y_DUCT, Y_FEED, Y_BEAM, Y_BATH, Y_KWH, Y_STATE, Y_EFFECT, Y_SHOTS, Y_BATH_C, Y_METAL,
    Y_ALF3, Y_TAPPED,
) = range(16)  # fmt: skip

(
    C_INIT, C_CURRENT, C_RIPPLE, C_BLOCK, C_BLOCK_S, C_BLOCK_HOW, C_EFFECT, C_QUENCH, C_WAVES, C_BATH, C_METAL, C_LAB,
    C_TAP, C_ANODE, C_R, C_LATE, C_DUCT, C_BLOCK_LEVEL,
) = range(1, 19)  # fmt: skip
DAY: Final = 86400
