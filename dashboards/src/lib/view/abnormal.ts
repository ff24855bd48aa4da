import { byUrgency } from "../alarms/order.ts";
import type { Alarm, Asset, Prediction, Tag } from "../api/types.ts";
import { mainTags, urgency } from "./lines.ts";

/** One thing that is not as it should be: an alarm, a prediction that asks for attention, or both about the same. */
export interface Abnormal {
  alarm: Alarm | null;
  prediction: Prediction | null;
}

/** What is not as it should be at an asset, the worst first: open alarms, then what asks for action. */
export function abnormal(alarms: readonly Alarm[], predictions: readonly Prediction[]): Abnormal[] {
  const said = [...alarms]
    .sort(byUrgency)
    .map((alarm) => ({ alarm, prediction: predictions.find(({ target }) => alarm.kind === "model" && target === alarm.code) ?? null }));
  const due = predictions.filter((one) => urgency(one) >= 2 && !said.some(({ prediction }) => prediction === one));
  return [...said, ...due.sort((a, b) => urgency(b) - urgency(a)).map((prediction) => ({ alarm: null, prediction }))];
}

/** The tags whose trends show it: those of the alarms and of the reasons, then those that are read first. */
export function shownBy(asset: Asset, items: readonly Abnormal[]): Tag[] {
  const named = items.flatMap(({ alarm, prediction }) => [alarm?.tag, ...(prediction?.reasons.map(({ tag }) => tag) ?? [])]);
  const found = named.flatMap((path) => asset.tags.find((tag) => tag.kind !== "text" && (tag.path === path || tag.name === path)) ?? []);
  return [...new Set([...found, ...mainTags(asset)])];
}
