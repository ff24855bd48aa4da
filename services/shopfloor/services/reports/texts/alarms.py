"""The section on alarms."""

from __future__ import annotations

from typing import Final

from shopfloor.services.reports.texts.pairs import Pairs

ALARMS: Final[Pairs] = {
    "alarms": ("Alarms", "报警"),
    "alarms.none": ("No alarm asked for attention.", "没有报警。"),
    "alarms.hour": ("Per hour and operator", "每人每小时"),
    "alarms.peak": ("Most in ten minutes", "十分钟内最多"),
    "alarms.guide": ("guide {n}", "指南值 {n}"),
    "alarms.floods": ("Floods", "报警泛滥"),
    "alarms.flood": ("Flood from {start} to {end}.", "报警泛滥：{start} 至 {end}。"),
    "alarms.plot": (
        "New alarms by the hour; the dashed line is the guide of ISA-18.2",
        "每小时新报警；虚线为 ISA-18.2 指南值",
    ),
    "alarms.often": ("Most frequent", "最频繁"),
    "alarms.standing": ("Still standing", "仍未消除"),
    "alarms.standing.none": ("None is standing.", "没有未消除的报警。"),
    "alarm": ("Alarm", "报警"),
    "priority": ("Priority", "优先级"),
    "asset": ("Asset", "设备"),
}
