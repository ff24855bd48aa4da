import type { Alarm } from "../api/types.ts";

export const unseen = (alarm: Alarm): boolean => !alarm.acknowledged && alarm.state !== "closed";
export const resettable = (alarm: Alarm): boolean => alarm.state === "latched-acknowledged" && !alarm.device;
const taken = (alarm: Alarm, act: "acknowledge" | "confirm"): boolean => Boolean(alarm.device?.answers.includes(act)) && !alarm.device?.pending;
/** Whether it can be acknowledged here: a condition of a device only where the device takes it, and was not asked just now. */
export const acknowledgeable = (alarm: Alarm): boolean => unseen(alarm) && (!alarm.device?.keeps || taken(alarm, "acknowledge"));
export const confirmable = (alarm: Alarm): boolean => alarm.state !== "closed" && Boolean(alarm.device?.confirm) && taken(alarm, "confirm");

const RANK: Partial<Record<Alarm["state"], number>> = { active: 0, acknowledged: 1 };

/** What needs somebody first comes first: active, then by priority, the first of a group before the others, then the newest. */
export function byUrgency(a: Alarm, b: Alarm): number {
  return (
    Number(a.state !== "active") - Number(b.state !== "active") ||
    a.priority - b.priority ||
    (RANK[a.state] ?? 2) - (RANK[b.state] ?? 2) ||
    Number(b.first_out ?? false) - Number(a.first_out ?? false) ||
    b.since - a.since
  );
}

export interface AlarmGroup {
  /** area/line, or nothing for sources and gateways. */
  place: string;
  alarms: Alarm[];
}

/** Alarms by line, the line with the most urgent alarm first; within a line by urgency. */
export function byPlace(alarms: readonly Alarm[]): AlarmGroup[] {
  const groups = new Map<string, Alarm[]>();
  for (const alarm of [...alarms].sort(byUrgency)) {
    const place = alarm.asset?.split("/").slice(1, 3).join("/") ?? "";
    groups.set(place, [...(groups.get(place) ?? []), alarm]);
  }
  return [...groups].map(([place, mine]) => ({ place, alarms: mine }));
}
