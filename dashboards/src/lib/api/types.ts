/** The JSON of `/api/v1`. Times are Unix milliseconds. */

export type Side = "high" | "low";
export type PriorityLevel = 1 | 2 | 3;

export interface Limit {
  side: Side;
  value: number;
  priority: PriorityLevel;
}

export interface Tag {
  path: string;
  name: string;
  kind: "float" | "int" | "text" | string;
  unit: string;
  title: string;
  description: string;
  decimals: number;
  normal: [number, number] | null;
  limits: Limit[];
  states: string[];
  writable: boolean;
}

export interface Asset {
  path: string;
  site: string;
  area: string;
  line: string;
  cell: string;
  asset: string;
  type: string;
  title: string;
  type_title: string;
  state: string | null;
  alarms: Record<string, number>;
  tags: Tag[];
}

export type Scalar = number | string | null;

export interface Latest {
  tag: string;
  time: number;
  value: Scalar;
  quality: number;
  severity: string | number;
}

export interface History {
  tag: string;
  unit: string;
  kind: string;
  downsampled: boolean;
  time: number[] | Float64Array;
  value: Scalar[] | Float64Array;
  low?: (number | null)[] | Float64Array;
  high?: (number | null)[] | Float64Array;
  quality: number[] | Uint32Array;
}

export interface Reason {
  code: string;
  sentence: string;
  tag: string | null;
  weight: number;
  values: Record<string, Scalar>;
}

export type PredictionStatus = "ok" | "watch" | "act" | "unknown";

export interface Prediction {
  asset: string;
  target: string;
  title: string;
  time: number;
  value: number | null;
  low: number | null;
  high: number | null;
  coverage: number;
  unit: string;
  status: PredictionStatus;
  sentence: string;
  advice: string;
  baseline: number | null;
  reasons: Reason[];
  model: string;
  trained_at: number | null;
  /** Which version of the model spoke; absent of one that is not in the registry. */
  version?: number;
}

export interface Metric {
  name: string;
  value: number;
  baseline: number | null;
  baseline_name: string;
  unit: string;
  better: "lower" | "higher";
  beats: boolean;
}

export interface Model {
  name: string;
  target: string;
  title: string;
  state: string;
  trained_at: number | null;
  cpu_s: number;
  rows: number;
  split: string;
  metrics: Metric[];
  coverage: { nominal: number; measured: number } | null;
}

/** What holds for a model on a scope; numbers are those of versions. */
export interface Place {
  scope: string;
  champion: number | null;
  since: number;
  before: number[];
  shadows: number[];
  proposed: number | null;
  rollout: { number: number; wave: number; share: number; line: string } | null;
  alarm: string;
}

export interface ModelLife {
  name: string;
  versions: { number: number; state: string }[];
  places: Place[];
}

/** A step of a version's life that a named person takes. */
export type ModelAction = "promote" | "rollback" | "rollout" | "wave" | "shadow" | "retire";

export interface Evidence {
  number: number;
  against: number | null;
  windows: number;
  loss: number | null;
  loss_against: number | null;
  coverage: number | null;
  nominal: number;
  conditions: { name: string; holds: boolean; sentence: string }[];
}

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

export interface ModelEvent {
  sequence: number;
  time: number;
  what: string;
  number: number;
  scope: string;
  by: string;
  why: string;
  detail: unknown;
}

export interface Alarm {
  id: string | number;
  asset: string | null;
  tag: string | null;
  kind: "limit" | "model" | "source" | "quality" | "condition";
  code: string;
  priority: PriorityLevel;
  state: "active" | "acknowledged" | "returned" | "latched" | "latched-acknowledged" | "closed";
  title: string;
  sentence: string;
  why: string;
  advice: string;
  since: number;
  returned: number | null;
  acknowledged: { by: string; time: number; note: string } | null;
  value: number | null;
  limit: number | null;
  unit: string;
  values: Record<string, Scalar>;
  latch?: boolean;
  group?: string;
  first_out?: boolean;
  aside?: Aside | null;
  device?: AlarmDevice | null;
}

export type DeviceAct = "acknowledge" | "confirm" | "comment" | "shelve" | "unshelve";

/** A condition that a device keeps itself: `keeps` acknowledgements, takes `answers`, waits for a confirmation (`confirm`). */
export interface AlarmDevice {
  source: string;
  subject: string;
  severity: number;
  time: number;
  keeps: boolean;
  answers: DeviceAct[];
  confirm: boolean;
  pending: { act: DeviceAct; by: string; time: number } | null;
}

/** What hides an alarm; `until` null: until it is put back, or the state of the asset ends. */
export interface Aside {
  kind: "shelved" | "suppressed" | "out-of-service";
  by: string;
  since: number;
  until: number | null;
  reason: string;
}

export interface Process {
  name: string;
  kind: string;
  state: string;
  pid: number | null;
  rss_bytes: number | null;
  cpu_percent: number | null;
  values_per_s: number | null;
  newest_time: number | null;
  detail: string;
}

export interface SourceHealth {
  gateway: string;
  name: string;
  kind: string;
  url: string;
  state: string;
  detail: string;
  tags: number;
  values_per_s: number;
  newest_time: number | null;
  newest_age_s: number | null;
  good: number;
  uncertain: number;
  bad: number;
  reconnects: number;
  accepted: number;
  spooled: number;
  rejected: number;
  dropped: number;
  backfilled?: number;
  gaps?: number;
  gap_sentence?: string;
}

export interface Health {
  status: "ok" | "starting" | "degraded";
  sentence: string;
  time: number;
  version: string;
  processes: Process[];
  sources: SourceHealth[];
  history: {
    state: "none" | "importing" | "complete";
    rows: number;
    rows_expected: number | null;
    progress: number | null;
    oldest: number | null;
    newest: number | null;
  };
  brain: { state: "waiting" | "training" | "ready" | "failed"; progress: number | null; sentence: string; cpu_s: number };
  store: { rows: number; bytes: number; segments: number; state: "ok" | "full" | "readonly" };
  shifts: string[];
}

export interface LedgerRow {
  gateway: string;
  source: string;
  accepted: number;
  spooled: number;
  stored: number;
  rejected: number;
  dropped: number;
  duplicates: number;
  balanced: boolean;
  sentence: string;
}

export interface Ledger {
  balanced: boolean;
  sources: LedgerRow[];
  store: { rows: number };
}
