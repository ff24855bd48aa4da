import { fixed, probability } from "../format/numbers.ts";
import type { Outlook, Risk } from "./types.ts";

/** An asset with what is most urgent at it, and what else is predicted there. */
export interface Row {
  first: Outlook;
  more: Outlook[];
}

/** One row for each asset, in the order of the server: its most urgent prediction leads. */
export function byAsset(rows: readonly Outlook[], line: string): Row[] {
  const found = new Map<string, Row>();
  for (const one of rows) {
    if (line && !one.asset.startsWith(`${line}/`)) continue;
    const known = found.get(one.asset);
    if (known) known.more.push(one);
    else found.set(one.asset, { first: one, more: [] });
  }
  return [...found.values()];
}

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
