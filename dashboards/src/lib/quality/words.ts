import { fixed } from "../format/numbers.ts";
import { said, word } from "../i18n/i18n.svelte.ts";

/** A rule in words. */
export const ruleName = (name: string): string => word(`rule.${name}`, name);
/** The kind of a chart in words. */
export const kindName = (kind: string): string => word(`chart.${kind}`, kind);

export const chartTitle = (chart: { title: string }): string => said(word(chart.title));

/** A statistic of a chart: a mean has a digit more than its values, a share three digits. */
export function statistic(value: number | null | undefined, chart: { kind: string; decimals: number }): string {
  const shares = chart.kind === "p" || chart.kind === "u";
  return fixed(value, shares ? 4 : chart.kind === "c" || chart.kind === "np" ? 1 : chart.kind === "i-mr" ? chart.decimals : chart.decimals + 1);
}
