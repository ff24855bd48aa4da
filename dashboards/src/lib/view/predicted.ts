import type { Prediction } from "../api/types.ts";
import { MISSING, fixed, probability } from "../format/numbers.ts";

const PROBABILITIES = new Set(["out_of_tolerance", "anode_effect"]);
/** Shares that may be more than all: how far a pot is on the way to where one looks. */
const RATIOS = new Set(["pot_unusual"]);

/** Whether a number of this target is a share, which people read in percent. */
export const isShare = (target: string, unit: string): boolean => (PROBABILITIES.has(target) || RATIOS.has(target)) && (unit === "" || unit === "1");

/** A share in percent, without the sign. */
export const shareOf = (target: string, value: number): string => (RATIOS.has(target) ? fixed(value * 100, 0) : probability(value));

export interface Readable {
  /** Nothing is shown of a prediction that its model does not stand behind. */
  known: boolean;
  value: string;
  unit: string;
  interval: string;
  /** Position of low, value, high and baseline between 0 and 100. */
  low: number;
  at: number;
  high: number;
  baseline: number | null;
  /** The numbers at both ends of the scale. */
  from: string;
  to: string;
}

/** A share is written in percent, everything else in its own unit. */
export function readable(p: Prediction): Readable {
  const share = isShare(p.target, p.unit);
  const factor = share ? 100 : 1;
  const unit = share ? "%" : p.unit;
  const decimals = p.target === "tool_life" ? 0 : Math.abs(p.value ?? 0) < 10 ? 1 : 0;
  const text = (value: number | null): string => (value === null ? MISSING : share ? shareOf(p.target, value) : fixed(value, decimals));
  const end = (value: number): string => fixed(value * factor, share || Number.isInteger(value) ? 0 : decimals);
  const [from, to] = bounds(p, unit === "%" ? Math.max(100 / factor, p.high ?? 0) : null);
  const at = (value: number | null): number => (value === null ? 0 : Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100)));
  return {
    known: p.value !== null && p.status !== "unknown",
    value: text(p.value),
    unit,
    interval: p.low === null || p.high === null ? "" : `${text(p.low)} … ${text(p.high)} ${unit}`,
    low: at(p.low ?? p.value),
    at: at(p.value),
    high: at(p.high ?? p.value),
    baseline: p.baseline === null ? null : at(p.baseline),
    from: end(from),
    to: end(to),
  };
}

function bounds(p: Prediction, full: number | null): [number, number] {
  if (full !== null) return [0, full];
  const known = [p.value, p.low, p.high, p.baseline].filter((value): value is number => value !== null);
  if (p.target === "dimension") {
    const reach = Math.max(40, ...known.map((value) => Math.abs(value) * 1.15));
    return [-reach, reach];
  }
  const top = Math.max(...known, 0);
  const bottom = Math.min(...known, 0);
  const room = (top - bottom) * 0.1 || 1;
  return [bottom < 0 ? bottom - room : 0, top + room];
}
