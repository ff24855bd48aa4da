/** Texts of the page of a line. */
export const lineEn = {
  "line.count": "{n} {n:asset|assets}",
  "line.machines": "Machines of the line",
  "line.normal": "{n} of {all} without alarm",
  "line.rail": "What to do now",
  "line.unknown": "There is no line {line}",
  "line.unknown.next": "Find the lines on the overview.",
  "rail.alarms": "Alarms",
  "rail.more": "All {n} alarms",
  "rail.none": "Nothing to do: no prediction asks for attention.",
  "rail.now": "Recommended now",
} as const;

export const lineZh: Record<keyof typeof lineEn, string> = {
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
