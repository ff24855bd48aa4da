/** Control charts as `/api/v1/quality` gives them. Times are Unix milliseconds. */

export type ChartState = "waiting" | "learning" | "in-control" | "out";
type Column = (number | null)[];

export interface ChartHead {
  name: string;
  kind: string;
  title: string;
  asset: string;
  asset_title: string;
  tag: string;
  unit: string;
  decimals: number;
  baseline: number;
  alarm: boolean;
  advice: string;
  rules: string[];
  spec: { low: number | null; high: number | null; target: number | null } | null;
}

export interface Spark {
  value: Column;
  lower: Column;
  upper: Column;
  out: boolean[];
}

export interface ChartRow extends ChartHead {
  state: ChartState;
  learned: number;
  /** No subgroup came for much longer than usual. */
  silent: boolean;
  time: number | null;
  value: number | null;
  broken: string[];
  spark: Spark;
  cpk: number | null;
}

export interface Index {
  value: number;
  low: number;
  high: number;
}

export interface Capability {
  n: number;
  mean: number;
  sigma_within: number | null;
  sigma_overall: number | null;
  cp: Index | null;
  cpk: Index | null;
  pp: Index | null;
  ppk: Index | null;
  p_value: number | null;
  normal: boolean | null;
  outside: number;
}

/** Limits that somebody had made anew; they hold from `since` on. */
export interface Revision {
  since: number;
  subgroups: number;
  start: number;
  end: number;
  by: string;
  why: string;
  at: number;
  replaced: boolean;
}

export interface ChartView extends ChartHead {
  limits: { centre: number; sigma: number | null; subgroups: number; start: number | null; end: number | null } | null;
  revisions: Revision[];
  time: number[];
  measured: Column;
  value: Column;
  second: Column;
  n: Column;
  centre: Column;
  lower: Column;
  upper: Column;
  spread: Column;
  spread_centre: Column;
  spread_lower: Column;
  spread_upper: Column;
  broken: string[][];
  more: number;
  run_length: { in_control: number; shifted: number } | null;
  left_out: number;
  capability: Capability | null;
  histogram: { edges: number[]; count: number[] } | null;
}
