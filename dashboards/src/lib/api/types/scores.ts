import type { Evidence } from "./models.ts";

/** What a version said of a window, and the champion beside it. */
export interface RecordedScore {
  asset: string;
  time: number;
  live: boolean;
  value: number | null;
  low: number | null;
  high: number | null;
  champion: number | null;
  champion_value: number | null;
}

/** The newest scores of a version; of `classes` a value is the place of one. */
export interface RecordedScores {
  unit: string;
  kind: string;
  classes: string[];
  scores: RecordedScore[];
  left_out: { asset: string; sentence: string }[];
}

/** What one version said over a replayed time: windows, alarms and events, minutes of lead. */
export interface Outcome {
  number: number;
  windows: number;
  silent: number;
  hits: number;
  misses: number;
  false: number;
  quiet: number;
  alarms_per_day: number;
  events: number;
  caught: number;
  lead_median: number | null;
  lead_least: number | null;
  cost: number | null;
}

export interface Replayed {
  scope: string;
  start: number;
  end: number;
  assets: number;
  evidence: Omit<Evidence, "conditions">;
  version: Outcome;
  against: Outcome | null;
  cpu_s: { reading: number; describing: number; scoring: number };
}

export interface ReplayJob {
  id: string;
  name: string;
  number: number;
  state: "running" | "done" | "failed" | "cancelled";
  progress: number;
  sentence: string;
  result: Replayed | null;
}

export interface Drift {
  number: number;
  sentence: string;
  rows: number;
  since: number | null;
  some: number;
  much: number;
  steps: number;
  steps_missing: number;
  features: { name: string; psi: number; level: number | null; moved: number | null }[];
  coverage: { windows: number; measured: number; nominal: number; alarm: boolean } | null;
}
