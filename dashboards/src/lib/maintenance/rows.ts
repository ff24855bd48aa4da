import { fixed, probability } from "../format/numbers.ts";
import type { Risk } from "./types.ts";

/** 5–50 %, at least 12 % (≥ 12 %), or nothing where nobody says. */
export function chance({ at_least: low, at_most: high }: Risk): string {
  if (low === null) return "";
  if (high === null) return `≥ ${probability(low)} %`;
  if (low === 0) return `< ${fixed(high * 100, 0)} %`;
  if (high === 1) return `> ${fixed(low * 100, 0)} %`;
  return `${fixed(low * 100, 0)}–${fixed(high * 100, 0)} %`;
}

/** Whether it is more likely than not. */
export const isLikely = (risk: Risk): boolean => (risk.at_least ?? 0) >= 0.5;
