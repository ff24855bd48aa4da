/** Production as `/api/v1/production` gives it. Times are Unix milliseconds, lengths seconds. */

export interface Loss {
  kind: string;
  of: string;
  seconds: number;
  reasons: Record<string, number>;
}

export interface Performance {
  path: string;
  title: string;
  doing: string;
  kpis: Record<"availability" | "effectiveness" | "quality_ratio" | "oee" | "nee" | "utilization_efficiency" | "allocation_efficiency" | "technical_efficiency" | "setup_ratio" | "scrap_ratio" | "rework_ratio" | "throughput_rate", number | null> & { too_fast: boolean };
  times: Record<"pot" | "pbt" | "apt" | "aust" | "aupt" | "adet" | "aubt" | "unknown" | "closed", number>;
  counts: Record<"pq" | "gq" | "sq" | "rq" | "planned_run", number>;
  losses: Loss[];
}

export interface Line extends Performance {
  machines: Performance[];
}

/** A shift or another time, and the shifts around it. */
export interface Span {
  start: number;
  end: number;
  shift: string;
  day: string;
  shift_end: number;
  before: number;
  after: number | null;
}

export interface Oee extends Span {
  lines: Line[];
}

export interface Stop {
  id: number;
  asset: string;
  asset_title: string;
  start: number;
  end: number | null;
  kind: string;
  reason: string;
  comment: string;
  by: string;
  code: string;
  parted: boolean;
  suggested: string[];
  /** How likely the likely ones are, the likeliest first; empty while too few were told. */
  shares: Record<string, number>;
}

/** How the model of a type of machine does: shares of the stops that were judged. */
export interface Learned {
  told: number;
  judged: number;
  first: number | null;
  three: number | null;
  usual: number | null;
  usual_three: number | null;
  said: number | null;
}

export interface Downtime {
  start: number;
  end: number;
  total: number;
  untold: number;
  stops: Stop[];
  learned: Record<string, Learned>;
  told: number;
  first_right: number;
}

export type OrderState = "planned" | "running" | "stopped" | "completed";

export interface Order {
  number: string;
  item: string;
  place: string;
  quantity: number;
  lots: string[];
  state: OrderState;
  created: number;
  by: string;
  comment: string;
  runs: { start: number; end: number | null }[];
  made: number;
  good: number;
  scrap: number;
}

/** An order with what each machine gave to it. */
export interface OrderDetail extends Order {
  kwh: number | null;
  per_good: number | null;
  machines: { asset: string; title: string; lots: string[]; kwh: number | null; parameters: Summary[] }[];
}

export interface Part {
  asset: string;
  asset_title: string;
  number: number;
  start: number;
  end: number;
  lot: string;
  order: string;
  result: number | null;
  good: boolean | null;
}

export interface Summary {
  tag: string;
  mean: number;
  min: number;
  max: number;
}

export interface Biography extends Part {
  item: string;
  /** The tag that the result is a value of. */
  result_tag: string;
  states: Record<string, number>;
  parameters: Summary[];
  predictions: { target: string; value: number | null; low: number | null; high: number | null }[];
}

export interface EnergyPart {
  path: string;
  title: string;
  total: number;
  running: number;
  standing: number;
  stood: number;
  base_load: number | null;
  good: number;
  per_good: number | null;
}

export interface EnergyOf extends Span {
  lines: (EnergyPart & { machines: EnergyPart[] })[];
}

export interface Entry {
  id: number;
  asset: string;
  time: number;
  kind: "scrap" | "rework";
  quantity: number;
  reason: string;
  by: string;
  comment: string;
}

/** A unit of a continuous process, or a line of them; throughput, yield and energy are of the times between portions. */
export interface Unit {
  path: string;
  title: string;
  doing: string;
  output: number;
  portions: number;
  throughput: number | null;
  yields: number | null;
  energy_per_output: number | null;
  upsets: number;
  upset: number;
  upsets_per_day: number | null;
  availability: number | null;
  states: Record<string, number>;
}

export interface ProcessOf extends Span {
  lines: (Unit & { unit: string; names: { output: string; yields: string; upset: string }; units: Unit[] })[];
}

/** A run by the name of its order, item or shift, in ms. */
export interface Stretch {
  name: string;
  start: number;
  end: number;
}

/** The run that goes on at a machine, and the best of `runs` earlier ones; null where there was none. */
export interface BestRun {
  asset: string;
  basis: "order" | "item" | "shift";
  item: string;
  by: "oee" | "scrap" | "";
  runs: number;
  now: Stretch;
  best: (Stretch & { oee: number | null; scrap_ratio: number | null; made: number }) | null;
}
