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
  origin: string | null;
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
  timezone: string;
  shifts: string[];
}
