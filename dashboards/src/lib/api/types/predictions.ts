import type { Scalar } from "./values.ts";

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
