export type Codes = Readonly<Record<string, string>>;

/** Chinese for what the server says in English, by its code; one with a missing value falls back to the server's sentence. */
export const codes: Codes = {
  "title.tool_life": "刀具剩余寿命",
  "title.dimension": "工件尺寸偏差",
  "title.out_of_tolerance": "超差概率",
  "title.pot_unusual": "槽异常度",
  "title.anode_effect": "30 分钟内阳极效应风险",
  "advice.tool_life": "在剩余寿命用完前更换刀具。",
  "advice.dimension": "检查刀补和刀具。",
  "advice.out_of_tolerance": "检测下一个工件，检查刀具和刀补。",
  "advice.pot_unusual": "检查下料器、电压和槽温。",
  "advice.anode_effect": "立即加料，准备熄灭效应。",
  "brain.waiting": "等待历史数据导入完成。",
  "brain.training": "正在训练",
  "brain.ready": "模型已就绪。",
  "brain.waiting.sentence": "历史数据导入完成后开始训练。",
  "brain.ready.sentence": "模型已就绪，正在实时预测。",
  "health.ok": "所有数据源都在发送数据。",
  "ledger.balanced": "每个已接收的值都有去向。",
  "ledger.unbalanced": "有值去向不明。",
  "source.connected.sentence": "连接正常。",
  source_lost: "数据源失联",
  source_quiet: "数据源没有数据",
  gateway_silent: "网关没有应答",
};
