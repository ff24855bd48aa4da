"""The sections on what models said, on tags against their bands, and on what people did."""

from __future__ import annotations

from typing import Final

from shopfloor.services.reports.texts.pairs import Pairs

MODELS: Final[Pairs] = {
    "predictions": ("Predictions and advice", "预测与建议"),
    "predictions.none": ("No model judged anything here.", "此处没有模型预测。"),
    "predictions.more": ("The {n} most urgent of {all} predictions:", "{all} 项预测中最紧急的 {n} 项："),
    "prediction": ("Prediction", "预测"),
    "prediction.last": ("At the end", "结束时"),
    "prediction.range": ("Least to greatest", "最小至最大"),
    "interval": ("Interval", "区间"),
    "status.ok": ("normal", "正常"),
    "status.watch": ("watch", "关注"),
    "status.act": ("act now", "立即处理"),
    "status.unknown": ("unknown", "未知"),
    "advice": ("Advice", "建议"),
    "advice.none": ("No model asked for action.", "没有模型要求处理。"),
    "advice.seen": ("Acknowledged", "确认人"),
    "advice.outcome": ("Outcome", "结果"),
    "advice.over": ("over after {time}", "{time} 后消除"),
    "advice.open": ("still so", "仍存在"),
    "advice.setpoints": ("{n} setpoints after it", "随后设定 {n} 次"),
    "drift": ("Drift of {model} (version {version}): {sentence}", "模型 {model}（版本 {version}）漂移：{sentence}"),
    # trends
    "trends": ("Tags against their normal band", "标签与正常范围"),
    "trends.none": (
        "No tag of a process line has a normal band and values here.",
        "此处没有带正常范围的过程标签数据。",
    ),
    "trends.plot": (
        "{tag} of {asset} ({unit}): outside its band in {share} of the minutes",
        "{asset} 的 {tag}（{unit}）：{share} 的分钟超出范围",
    ),
    # setpoints and notes
    "setpoints": ("Setpoints", "设定值"),
    "setpoints.none": ("Nobody wrote a setpoint.", "没有人写入设定值。"),
    "setpoint": ("Setpoint", "设定值"),
    "setpoint.to": ("Asked", "目标值"),
    "setpoint.from": ("Before", "原值"),
    "status": ("Answer", "结果"),
    "by": ("By", "操作人"),
    "time": ("Time", "时间"),
    "notes": ("Notes", "备注"),
    "notes.none": ("Nobody noted anything.", "没有备注。"),
    "note": ("Note", "内容"),
}
