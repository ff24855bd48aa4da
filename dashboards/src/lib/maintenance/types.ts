/** Maintenance as the API tells it: `/api/v1/maintenance`, `work-orders` and `marks`. Times are Unix milliseconds. */
import type { Prediction } from "../api/types.ts";

/** The chance that it must be seen to by `end` lies between the two; null: nobody says. */
export interface Risk {
  end: number;
  at_least: number | null;
  at_most: number | null;
}

export type Horizon = "hour" | "shift" | "day" | "week";

export interface Outlook extends Record<Horizon, Risk> {
  asset: string;
  title: string;
  kind: "life" | "chance" | "condition";
  prediction: Prediction;
  /** Remaining life by the clock, in ms from now. */
  left: { low: number; value: number; high: number | null } | null;
  /** `now`: to act on, or at most 15 minutes left; `hour`: likely within the hour. */
  due: "now" | "hour" | "";
  running: number | null;
  part: string;
  changed: number | null;
  trend: { time: number[]; value: (number | null)[] };
  also: { target: string; title: string; status: Prediction["status"] }[];
  orders: number[];
}

export interface Maintenance {
  time: number;
  counts: Record<"assets" | "now" | Horizon, number>;
  rows: Outlook[];
  in_shadow: { asset: string; title: string; name: string; model_title: string; number: number }[];
  silent: string[];
  sentence: string;
}

export type WorkState = "open" | "in-work" | "done" | "taken-back";
export type Found = "" | "worn" | "not-worn" | "early";

export interface WorkOrder {
  number: number;
  asset: string;
  title: string;
  what: string;
  why: Prediction | null;
  due: number | null;
  who: string;
  state: WorkState;
  created: number;
  by: string;
  changed: number;
  changed_by: string;
  found: Found;
  note: string;
  mark: number | null;
  sentence: string;
}

export interface Tally {
  windows: number;
  exact: number;
  inside: number;
  error: number | null;
  events: number;
  caught: number;
  alarms: number;
  false: number;
}

export interface Point {
  asset: string;
  time: number;
  value: number;
  low: number | null;
  high: number | null;
  truth: number;
}

export interface Past {
  name: string;
  title: string;
  target: string;
  kind: "life" | "event";
  unit: string;
  number: number;
  nominal: number;
  above: number | null;
  below: number | null;
  total: Tally;
  assets: (Tally & { asset: string; title: string })[];
  points: Point[];
}

export interface Mark {
  id: number;
  name: string;
  number: number;
  asset: string;
  time: number;
  value: number | null;
  unit: string;
  right: boolean;
  true_low: number;
  true_high: number | null;
  truth: string;
  by: string;
  note: string;
  marked: number;
}
