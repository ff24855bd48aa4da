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

export interface Oee {
  start: number;
  end: number;
  shift: string;
  day: string;
  shift_end: number;
  before: number;
  after: number | null;
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
}

export interface Downtime {
  start: number;
  end: number;
  stops: Stop[];
  told: number;
  first_right: number;
}
