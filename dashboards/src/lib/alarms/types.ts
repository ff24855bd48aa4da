import type { PriorityLevel } from "../api/types.ts";

export interface Often {
  key: string;
  title: string;
  asset: string | null;
  priority: PriorityLevel;
  count: number;
}

/** Figures that have a guide value. */
export interface Guide {
  per_10min: number;
  per_hour: number;
  per_day: number;
  peak_10min: number;
  stale: number;
  chattering: number;
  shares: Record<string, number>;
}

/** What asked for attention, for one operator: now, and over a day. */
export interface AlarmLoad {
  per_10min: number;
  per_hour: number;
  per_day: number;
  operators: number;
  peak_10min: number;
  flood: { since: number; new: number } | null;
  chattering: Often[];
  stale: number[];
  shares: Record<string, number>;
  top: Often[];
  guide: Guide;
}

/** One step in the life of an alarm; `by` is empty where the server did it by itself. */
export interface Transition {
  number: number;
  time: number;
  kind: string;
  asset: string;
  alarm: number;
  title: string;
  priority: PriorityLevel;
  before: string;
  after: string;
  by: string;
  reason: string;
}
