/** What the server says of work orders and marks. */
export const maintenancePhrases: readonly (readonly [string, string])[] = [
  ["No prediction of {name} on {asset} is kept of that moment: they are kept for 90 days.", "{asset} 在该时刻没有 {name} 的预测记录：记录保存 90 天。"],
  ["There is no mark {n} that stands: GET marks lists those there are.", "没有有效的判定 {n}：请查询现有判定。"],
  ["Say which it was: {what}, as truth.", "请说明实际是哪一类：{what}。"],
  ["Say what it really was, in {unit}: low and high, or low alone for at least so much.", "请填写实际值（{unit}）：上下限，或仅下限表示至少这么多。"],
  ["Say whether it was so: {name} takes low and high as 1 (it was) or 0 (it was not).", "请说明实际是否如此：{name} 的上下限取 1（是）或 0（否）。"],
  ["There is no work order {n}: ask /api/v1/work-orders?state=all for those that are.", "没有工单 {n}：请查询现有工单。"],
  ["Work order {n} is done: make a new one.", "工单 {n} 已完成：请另建一张。"],
  ["Work order {n} is taken back: make a new one.", "工单 {n} 已撤销：请另建一张。"],
  ["Work order {n} is in work: make a new one.", "工单 {n} 正在进行：请另建一张。"],
  ["Nothing is predicted of {target} on {asset} now: leave the target out, or ask GET predictions.", "{asset} 目前没有 {target} 的预测：请不要指定目标。"],
  ["What was found does not say whether this prediction was right: mark it by hand.", "检查结果不能说明该预测是否正确：请手工判定。"],
  ["The order is done, and its prediction was not marked: {what}", "工单已完成，但预测未判定：{what}"],
];
