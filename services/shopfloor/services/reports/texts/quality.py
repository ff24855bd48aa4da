"""The section on quality."""

from __future__ import annotations

from typing import Final

from shopfloor.services.reports.texts.pairs import Pairs

QUALITY: Final[Pairs] = {
    "quality": ("Quality", "质量"),
    "quality.none": ("No control chart is declared here.", "此处没有声明控制图。"),
    "quality.points": ("Points", "点数"),
    "quality.signals": ("Signals", "信号"),
    "quality.cpk": ("Cpk (95 %)", "Cpk（95 %）"),
    "quality.outside": ("Outside the specification", "超出规格"),
    "quality.rules": ("Rules broken", "违反规则"),
    "quality.odd": (
        "* The values contradict a normal distribution: read the share outside, and not Cpk.",
        "* 数据不服从正态分布：请看超差比例，而非 Cpk。",
    ),
    "quality.plot": (
        "{chart} of {machine} ({unit}); squares break a rule",
        "{machine} 的 {chart}（{unit}）；方块表示违反规则",
    ),
    "quality.more": (
        "{n} more charts signalled; they are on the page Quality.",
        "另有 {n} 张控制图有信号，见质量页面。",
    ),
    "quality.silent": (
        "{n} of {all} control charts have no point in this time.",
        "{all} 张控制图中 {n} 张在该时段没有数据点。",
    ),
    "chart": ("Chart", "控制图"),
}
