"""The section on data."""

from __future__ import annotations

from typing import Final

from shopfloor.services.reports.texts.pairs import Pairs

DATA: Final[Pairs] = {
    "data": ("Data", "数据"),
    "data.newest": ("Newest value", "最新数据"),
    "data.age": ("{age} before the end", "距结束 {age}"),
    "data.values": ("Values", "数据量"),
    "data.bad": ("Bad quality", "坏质量"),
    "data.silent": ("Tags without a value", "无数据的标签"),
    "data.of": ("of {n}", "共 {n}"),
    "data.gaps": ("No value of any tag for ten minutes or longer:", "十分钟以上没有任何数据："),
    "data.no.gaps": ("No asset was silent for ten minutes.", "没有设备中断十分钟以上。"),
    "data.balanced": (
        "The ledger balances: every value that gateways accepted is stored or on its way.",
        "账目平衡：网关接收的每个数值都已存储或在途。",
    ),
    "data.unbalanced": ("{source} ({gateway}): {sentence}", "{source}（{gateway}）：{sentence}"),
    "data.waiting": (
        "{n} values still wait at gateways: a report made later may say more.",
        "网关中仍有 {n} 个数值待传：稍后生成的报告可能更完整。",
    ),
    "data.no.ledger": ("No gateway has sent values yet.", "尚无网关发送数据。"),
}
