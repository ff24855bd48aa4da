import type { Tag } from "../api/types.ts";

/** Where a value stands on a bar in percent: the normal range with a half of itself on both sides, and its limits. */
export function barScale(tag: Pick<Tag, "normal" | "limits">): ((value: number) => number) | null {
  if (!tag.normal) return null;
  const [low, high] = tag.normal;
  const room = (high - low) / 2 || Math.abs(high) || 1;
  const limits = tag.limits.map((limit) => limit.value);
  const floor = low >= 0 ? Math.max(0, low - room) : low - room;
  const from = Math.min(floor, ...limits);
  const to = Math.max(high + room, ...limits.map((limit) => limit + room / 4));
  return (value) => Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100));
}

/** A value outside of its normal range: visible before any alarm. */
export function outside(tag: Pick<Tag, "normal">, value: unknown): boolean {
  return tag.normal !== null && typeof value === "number" && (value < tag.normal[0] || value > tag.normal[1]);
}
