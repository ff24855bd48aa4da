import type { Scalar } from "./values.ts";

export type PriorityLevel = 1 | 2 | 3;

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

/** An alarm that can come; `alarm` is the number of the newest one (null: it never came), `state` normal: it is not there. */
export interface DesignedAlarm {
  key: string;
  asset: string | null;
  tag: string | null;
  priority: PriorityLevel;
  title: string;
  limit: number | null;
  unit: string;
  state: Alarm["state"] | "normal";
  alarm: number | null;
  aside: Aside | null;
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
