import type { Metric } from "../api/types.ts";
import { MISSING, fixed, percent } from "../format/numbers.ts";

/** A metric with three significant digits and its unit. */
export function scored(value: number | null, metric: Metric): string {
  if (metric.unit === "" && value !== null && Math.abs(value) <= 1 && metric.name.toLowerCase().includes("coverage")) return percent(value, 1);
  if (value === null) return MISSING;
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return `${fixed(value, decimals)}${metric.unit && metric.unit !== "1" ? ` ${metric.unit}` : ""}`;
}
