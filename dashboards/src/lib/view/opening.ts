/** The pages' script and a script in index.html both run this, the latter as its text alone: nothing here looks outside but at each other. */

const MINUTE = 60_000;
export const SPANS: Record<string, number> = {
  "15min": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "8h": 480 * MINUTE,
  "24h": 1440 * MINUTE,
  "7d": 7 * 1440 * MINUTE,
  "30d": 30 * 1440 * MINUTE,
  "1y": 365 * 1440 * MINUTE,
};
/** How the history of a number is best told. */
export const FORMS = "application/msgpack, application/json;q=0.5";

export interface Opening {
  tag: string;
  from: number;
  to: number;
  address: string;
}

/** A part before the window, so that what held at its beginning is known and a step to the left shows something. */
export function around(from: number, to: number): { start: number; end: number } {
  const span = to - from;
  return { start: Math.floor(from - Math.min(300_000, span * 0.35)), end: Math.ceil(to + span * 0.02) };
}

/** For a chart of so many pixels; in steps, so that charts of nearly one width show, and tell, the same. */
export function pointsOf(width: number): number {
  return Math.max(200, Math.min(3000, Math.ceil((width || 800) / 320) * 448));
}

/** The trend that an address opens with, and how it is asked for: before the pages have arrived, at a time (ms), for a width. */
export function opening(path: string, search: string, now: number, width: number, spans: Record<string, number>): Opening | undefined {
  if (!path.startsWith("/tag/")) return undefined;
  const tag = decodeURIComponent(path.slice(5)).replace(/\/+$/, "");
  const said = new URLSearchParams(search);
  let [from, to] = [Number(said.get("from")), Number(said.get("to"))];
  if (!from || !(to > from)) [from, to] = [now - (spans[said.get("span") ?? "1h"] ?? spans["1h"]!), now];
  const { start, end } = around(from, to);
  const asked = new URLSearchParams({ tag, start: String(start), end: String(end), points: String(pointsOf(width)), previous: "true" });
  return { tag, from, to, address: `/api/v1/history?${asked}` };
}
