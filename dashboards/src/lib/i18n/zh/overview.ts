import type { overview as english } from "../en/overview.ts";

export const overview: Record<keyof typeof english, string> = {
  "figure.age": "最新数据",
  "figure.rate": "数据流量",
  "figure.rows": "已存数据",
  "job.brain": "大脑",
  "job.history": "正在导入历史数据",
  "job.rows": "个值",
  "job.training": "模型训练中",
  "overview.abnormal": "{all} 台设备中有 {n} 台需要关注。最严重：{name}，{why}。",
  "overview.brief": "一句话看工厂",
  "overview.calm": "无报警。",
  "overview.empty": "工厂还没有设备",
  "overview.empty.next": "请在工厂配置文件中描述设备；`shopfloor browse` 可列出设备提供的变量。",
  "overview.general": "{what}。",
  "overview.normal": "{n} 台设备全部正常。",
  "overview.silent": "{all} 台设备中有 {n} 台没有数据。",
  "overview.watch": "{all} 台设备中有 {n} 台需留意。首先：{name}，{why}。",
  "overview.worst": "最需关注",
};
