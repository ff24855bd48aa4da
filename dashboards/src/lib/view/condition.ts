import type { Alarm, Asset, Prediction, PriorityLevel } from "../api/types.ts";
import { urgency } from "./lines.ts";

/** How an asset stands: the most urgent open alarm, or a prediction that asks for attention. */
export interface Condition {
  asset: Asset;
  priority: PriorityLevel | null;
  alarm: Alarm | null;
  prediction: Prediction | null;
  unacknowledged: boolean;
  /** Larger is worse. */
  rank: number;
}

export function condition(asset: Asset, alarms: readonly Alarm[], predictions: readonly Prediction[]): Condition {
  const mine = alarms.filter((alarm) => alarm.asset === asset.path && alarm.state !== "closed");
  const alarm = mine.reduce<Alarm | null>((worst, one) => (!worst || one.priority < worst.priority ? one : worst), null);
  const due = predictions.filter((one) => urgency(one) >= 2);
  const prediction = due.reduce<Prediction | null>((a, b) => (!a || urgency(b) > urgency(a) ? b : a), null);
  const rank = (alarm ? 10 - 2 * alarm.priority + (alarm.state === "active" ? 1 : 0) : 0) + (prediction ? urgency(prediction) - 1 : 0) / 2;
  return { asset, priority: alarm?.priority ?? null, alarm, prediction, unacknowledged: mine.some((one) => one.state === "active"), rank };
}

/** The assets that ask for attention, the worst first. */
export function attention(conditions: readonly Condition[]): Condition[] {
  return conditions.filter((one) => one.rank > 0).sort((a, b) => b.rank - a.rank);
}
