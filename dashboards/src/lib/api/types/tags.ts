import type { PriorityLevel } from "./alarms.ts";

export type Side = "high" | "low";

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
  /** The source of its newest values, as in the health of the server; null before anything came. */
  origin: string | null;
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
