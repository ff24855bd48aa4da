import { MISSING, fixed } from "./numbers.ts";

const two = (n: number): string => String(n).padStart(2, "0");

/** 14:05:09 in the time of the browser, always 24 hours. */
export function clock(ms: number | null | undefined, seconds = true): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

export function day(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** The clock alone today, with the day before it otherwise. */
export function moment(ms: number | null | undefined, now: number, seconds = true): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  return day(ms) === day(now) ? clock(ms, seconds) : `${day(ms).slice(5)} ${clock(ms, seconds)}`;
}

const STEPS: [number, string, number][] = [
  [86_400_000, "d", 3_600_000],
  [3_600_000, "h", 60_000],
  [60_000, "min", 1000],
];
const NEXT: Record<string, string> = { d: "h", h: "min", min: "s" };

/** 0.4 s, 12 s, 3 min 20 s, 5 h 2 min: two units at most. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const span = Math.max(0, ms);
  if (span < 9_950) return `${fixed(span / 1000, 1)} s`;
  for (const [size, unit, smaller] of STEPS) {
    if (span < size) continue;
    const rest = Math.floor((span % size) / smaller);
    return `${Math.floor(span / size)} ${unit}${rest ? ` ${rest} ${NEXT[unit]}` : ""}`;
  }
  return `${Math.round(span / 1000)} s`;
}

/** Labels of a 24 h time axis; `step` is the distance of its ticks in seconds. */
export function axisLabels(seconds: number[], step: number): string[] {
  return seconds.map((s) => {
    const ms = s * 1000;
    if (step < 1) return `${clock(ms)}.${String(Math.round(ms % 1000)).padStart(3, "0")}`;
    if (step < 60) return clock(ms);
    if (step >= 86_400) return day(ms).slice(5);
    return clock(ms, false) === "00:00" ? day(ms).slice(5) : clock(ms, false);
  });
}
