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
