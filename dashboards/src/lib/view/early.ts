import { history } from "../api/history.ts";
import type { History } from "../api/types.ts";
import { router } from "./router.svelte.ts";
import { TimeWindow } from "./window.svelte.ts";

interface Early {
  tag: string;
  from: number;
  to: number;
  answer: Promise<History>;
}
const STEP_PX = 320;
let early: Early | undefined;

/** A part before the window, so that what held at its beginning is known and a step to the left shows something. */
export function around(from: number, to: number): { start: number; end: number } {
  const span = to - from;
  return { start: Math.floor(from - Math.min(300_000, span * 0.35)), end: Math.ceil(to + span * 0.02) };
}

/** For a chart of so many pixels; in steps, so that charts of nearly one width show, and tell, the same. */
export const pointsOf = (width: number): number => Math.max(200, Math.min(3000, Math.ceil((width || 800) / STEP_PX) * STEP_PX * 1.4));

/** Ask for the first trend of the opened page while the rest of it is still on its way. */
export function askEarly(): void {
  const { page, rest } = router.at;
  if (page !== "tag") return;
  const { from, to } = new TimeWindow("1h");
  const answer = history({ tag: rest, ...around(from, to), points: pointsOf(innerWidth), previous: true });
  answer.catch(() => undefined); // whoever takes it is told
  early = { tag: rest, from, to, answer };
}

/** What was asked early, once, if it is about this; a window that follows the present may have moved a little. */
export function takeEarly(tag: string, from: number, to: number): Promise<History> | undefined {
  const found = early;
  early = undefined;
  const near = (to - from) * 0.01;
  return found?.tag === tag && Math.abs(found.from - from) < near && Math.abs(found.to - to) < near ? found.answer : undefined;
}
