import type { line as english } from "../en/line.ts";

export const line: Record<keyof typeof english, string> = {
  "line.count": "{n} 台设备",
  "line.machines": "产线设备",
  "line.normal": "{all} 台中 {n} 台无报警",
  "line.rail": "现在要做的事",
  "line.unknown": "没有产线 {line}",
  "line.unknown.next": "请在总览中查找产线。",
  "rail.alarms": "报警",
  "rail.more": "全部 {n} 条报警",
  "rail.none": "无需处理：没有需要关注的预测。",
  "rail.now": "现在建议",
};
