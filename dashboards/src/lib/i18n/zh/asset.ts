import type { asset as english } from "../en/asset.ts";

export const asset: Record<keyof typeof english, string> = {
  "asset.calm": "没有异常。",
  "asset.predictions": "预测",
  "asset.rail": "报警与预测",
  "asset.trends": "趋势",
  "asset.unknown": "没有设备 {path}",
  "asset.unknown.next": "工厂配置文件可能已更改，请从总览查找。",
  "prediction.age": "{age} 前",
  "prediction.interval": "{coverage} 区间：{interval}",
  "prediction.none": "该设备还没有预测。",
  "prediction.reasons": "原因，最主要的在前",
  "prediction.unknown": "数据不足，无法预测。",
  "tags.age": "时龄",
  "tags.normal": "与正常范围相比",
  "tags.quality": "质量",
  "tags.search": "搜索变量",
  "tags.tag": "变量",
  "tags.title": "全部变量",
  "tags.unit": "单位",
  "tags.value": "值",
};
