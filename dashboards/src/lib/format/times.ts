import { MISSING, fixed } from "./numbers.ts";
import { instant, shown } from "./zone.ts";

const two = (n: number): string => String(n).padStart(2, "0");

/** 14:05:09 by the clocks of the plant, always 24 hours. */
export function clock(ms: number | null | undefined, seconds = true): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return MISSING;
  const d = shown(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}${seconds ? `:${two(d.getUTCSeconds())}` : ""}`;
}

export function day(ms: number): string {
  const d = shown(ms);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
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

/** A moment of a window of `span` ms: as many digits after the second as are worth it, and the year where it is another one. */
export function precise(ms: number, now: number, span: number): string {
  const digits = span < 100 ? 6 : span < 20_000 ? 3 : 0;
  const year = shown(ms).getUTCFullYear();
  const start = year === shown(now).getUTCFullYear() ? "" : `${year}-`;
  const text = day(ms) === day(now) ? clock(ms) : `${start}${day(ms).slice(5)} ${clock(ms)}`;
  return text + (digits ? fraction(ms / 1000, digits) : "");
}

const fraction = (seconds: number, digits: number): string => `.${String(Math.min(10 ** digits - 1, Math.round((seconds - Math.floor(seconds)) * 10 ** digits))).padStart(digits, "0")}`;

/** Labels of a 24 h time axis; `step` is the distance of its ticks in seconds. */
export function axisLabels(seconds: number[], step: number): string[] {
  return seconds.map((s) => {
    const ms = s * 1000;
    if (step < 0.001) return clock(ms) + fraction(s, 5);
    if (step < 1) return `${clock(ms)}.${String(Math.round(ms % 1000)).padStart(3, "0")}`;
    if (step < 60) return clock(ms);
    if (step >= 28 * 86_400) return day(ms).slice(0, 7);
    if (step >= 86_400) return day(ms).slice(5);
    return clock(ms, false) === "00:00" ? day(ms).slice(5) : clock(ms, false);
  });
}

const DAY_S = 86_400;
const MONTH_S = 30 * DAY_S;
const YEAR_S = 365 * DAY_S;
const ALL = [1, 2, 5];
/** Distances of ticks in seconds, from 10 microseconds to ten years. */
export const TIME_STEPS = [
  ...[-5, -4, -3, -2, -1].flatMap((power) => ALL.map((one) => Number((one * 10 ** power).toPrecision(1)))),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[1, 2, 3, 4, 6, 8, 12].map((hours) => hours * 3600),
  ...[1, 2, 3, 5, 7, 10, 14].map((days) => days * DAY_S),
  ...[1, 2, 3, 6].map((months) => months * MONTH_S),
  ...[1, 2, 5, 10].map((years) => years * YEAR_S),
];

/** Ticks between two times in seconds, on whole parts of the plant's day, month or year. */
export function timeTicks(from: number, to: number, step: number): number[] {
  const first = shown(from * 1000);
  const [y, m, d] = [first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()];
  const count = Math.max(1, Math.round(step / (step >= YEAR_S ? YEAR_S : step >= MONTH_S ? MONTH_S : step >= DAY_S ? DAY_S : 3600)));
  const midnight = instant(y, m, d) / 1000;
  const nth = (k: number): number => {
    if (step >= YEAR_S) return instant(y - (y % count) + k * count, 0, 1) / 1000;
    if (step >= MONTH_S) return instant(y, m - (m % count) + k * count, 1) / 1000;
    if (step >= DAY_S) return instant(y, m, d + k * count) / 1000;
    if (step >= 3600) return instant(y, m, d, k * count) / 1000;
    return Math.round((midnight + (Math.ceil((from - midnight) / step) + k) * step) * 1e6) / 1e6;
  };
  const ticks: number[] = [];
  for (let k = 0; nth(k) <= to && k < 500; k++) if (nth(k) >= from) ticks.push(nth(k));
  return ticks;
}

/** A day and a minute, for things that happened at some time. */
export function dateTime(ms: number): string {
  return `${day(ms)} ${clock(ms, false)}`;
}
