export type Unit = "shift" | "day";
export type ReportState = "waiting" | "failed" | "made" | "sending" | "sent";

/** A shift or day by the clocks of the plant, and those around it; `after` is null while the next has not begun. */
export interface Period {
  unit: Unit;
  start: number;
  end: number;
  shift: string;
  day: string;
  over: boolean;
  before: number;
  after: number | null;
  timezone: string;
}

export interface Letter {
  to: string;
  sent: number | null;
  problem: string;
}

export interface Kept {
  id: number;
  schedule: string;
  unit: Unit;
  start: number;
  end: number;
  shift: string;
  day: string;
  line: string;
  language: string;
  format: "html" | "pdf";
  by: string;
  made: number | null;
  file: string;
  size: number;
  state: ReportState;
  problem: string;
  mail: Letter[];
}

export interface Scheduled {
  name: string;
  every: Unit;
  line: string;
}

export interface Reports {
  schedule: Scheduled[];
  reports: Kept[];
}
