"""The title, its lines, and the headline."""

from __future__ import annotations

from typing import Final

from shopfloor.services.reports.texts.pairs import Pairs

PAGE: Final[Pairs] = {
    "title.shift": ("Report of the shift {shift}, {day}", "{day} {shift}报告"),
    "title.day": ("Report of {day}", "{day} 日报"),
    "shift.night": ("night", "夜班"),
    "shift.early": ("early", "早班"),
    "shift.late": ("late", "中班"),
    "shift.day": ("day", "白班"),
    "whole": ("whole plant", "全厂"),
    "from.to": ("{start} to {end} ({zone})", "{start} 至 {end}（{zone}）"),
    "running": ("not over yet: up to {end}", "尚未结束：截至 {end}"),
    "made.by": ("Made {made} for {by}", "{made} 生成，请求人：{by}"),
    "page": ("Page {n}", "第 {n} 页"),
    "local": ("this machine", "本机"),
    "schedule": ("the schedule", "定时任务"),
    # the headline
    "head.fine": ("Nothing abnormal was found.", "未发现异常。"),
    "head.oee": (
        "OEE {oee}, {points} points below the mean of the last {n}",
        "OEE {oee}，比前 {n} 次均值低 {points} 个百分点",
    ),
    "head.stop": ("{machine} stood for {time} ({reason})", "{machine} 停机 {time}（{reason}）"),
    "head.flood": ("{n} alarm floods", "报警泛滥 {n} 次"),
    "head.alarms": ("{n} alarms an hour (guide {guide})", "每小时报警 {n} 次（指南值 {guide}）"),
    "head.standing": ("{n} alarms of priority 1 still stand", "{n} 个一级报警仍未消除"),
    "head.signals": (
        "{n} of {all} control charts signal, most of all {chart} of {machine}",
        "{all} 张控制图中 {n} 张有信号，最多的是 {machine} 的 {chart}",
    ),
    "head.act": ("{n} predictions ask for action", "{n} 项预测要求处理"),
    "head.band": (
        "{tag} of {asset} left its normal band for {share} of the time",
        "{asset} 的 {tag} 有 {share} 的时间超出正常范围",
    ),
    "head.unbalanced": ("the ledger of {n} sources does not balance", "{n} 个数据源的账目不平"),
    "head.gaps": ("assets without any value for ten minutes or longer: {n}", "{n} 台设备有十分钟以上没有任何数据"),
    "head.nothing": ("No value has come in this time: nothing can be said of it.", "该时段没有任何数据，无法评述。"),
    "head.and": ("; ", "；"),
    "head.end": (".", "。"),
}
