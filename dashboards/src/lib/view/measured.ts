import type { Alarm, Tag } from "../api/types.ts";
import { exact, fixed } from "../format/numbers.ts";
import { isShare, shareOf } from "./predicted.ts";

export interface Measured {
  value: string;
  unit: string;
  limit: string;
}

/** The number of an alarm and as its tag writes it, its limit as somebody configured it; a probability in percent. */
export function measured(alarm: Pick<Alarm, "value" | "limit" | "unit" | "kind" | "code">, tag: Pick<Tag, "decimals" | "kind"> | undefined): Measured | null {
  if (alarm.value === null) return null;
  if (alarm.kind === "model" && isShare(alarm.code, alarm.unit)) return { value: shareOf(alarm.code, alarm.value), unit: "%", limit: alarm.limit === null ? "" : shareOf(alarm.code, alarm.limit) };
  const decimals = tag ? (tag.kind.startsWith("int") ? 0 : tag.decimals) : alarm.code === "tool_life" ? 0 : 1;
  return { value: fixed(alarm.value, decimals), unit: alarm.unit, limit: alarm.limit === null ? "" : exact(alarm.limit) };
}
