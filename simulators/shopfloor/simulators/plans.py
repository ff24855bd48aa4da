"""Faults planned ahead: what breaks, when, counted from the moment a line goes live."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shopfloor.simulators.engine import FaultError, Simulation
from shopfloor.simulators.plants import seconds

_FORM: Final = "write ASSET:FAULT:SEVERITY:FROM:UNTIL, as in pot-17:feeder_block:1:-8m:30m"


@dataclass(frozen=True, slots=True)
class Plan:
    """One fault of one asset; `begin` and `end` in UTC ns. `tag` is set for faults of a sensor only."""

    asset: str
    fault: str
    severity: float
    begin: int
    end: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan whose times are seconds from the start of live running: negative ones lie in the past."""

    asset: str
    fault: str
    severity: float
    begin_s: float
    end_s: float
    tag: str = ""

    def at(self, live: int) -> Plan:
        """The plan for a line that goes live at `live` (UTC ns)."""
        return Plan(
            self.asset,
            self.fault,
            self.severity,
            live + round(self.begin_s * 1e9),
            live + round(self.end_s * 1e9),
            self.tag,
        )


def wish(text: str) -> Wish:
    """Read `ASSET:FAULT:SEVERITY:FROM:UNTIL`, for argparse; the fault of a sensor names it: `sensor.lost@voltage`.

    >>> wish("pot-17:feeder_block:0.8:-8m:30m")
    Wish(asset='pot-17', fault='feeder_block', severity=0.8, begin_s=-480.0, end_s=1800.0, tag='')
    """
    parts = text.split(":")
    if len(parts) != 5:
        raise argparse.ArgumentTypeError(f"{text!r} has {len(parts)} parts: {_FORM}")
    asset, fault, severity, begin, end = parts
    name, _, tag = fault.partition("@")
    try:
        return Wish(asset, name, float(severity), _offset(begin), _offset(end), tag)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(
            f"{text!r} has the severity {severity!r}, which is no number: {_FORM}"
        ) from problem


def _offset(text: str) -> float:
    return -seconds(text[1:]) if text.startswith("-") else seconds(text)


def inject(simulation: Simulation, plans: Iterable[Plan]) -> None:
    """Put the plans into a simulation; an asset or a fault that it does not have raises `FaultError`."""
    names = {path.rpartition("/")[2]: path for path in simulation.assets} | {path: path for path in simulation.assets}
    for plan in plans:
        if plan.asset not in names:
            raise FaultError(
                f"There is no asset {plan.asset!r} in this line to break: name one as in {next(iter(names))}."
            )
        simulation.inject(
            names[plan.asset], plan.fault, plan.severity, plan.begin, until=plan.end, tag=plan.tag or None
        )
