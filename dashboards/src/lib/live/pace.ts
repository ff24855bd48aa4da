export const TICK_MS = 1000;
/** Live values come in ten frames a second. */
export const FRAME_MS = 100;
/** A page that heard nothing for three ticks is stale. */
export const STALE_MS = 3 * TICK_MS;
const SELDOM_MS = 5000;

/** The ms that move a chart of a span by a pixel; a chart of days moves all the same every few seconds. */
export const pixelOf = (span: number, pixels: number): number => Math.min(SELDOM_MS, span / pixels);

/** Whether a chart drawn so many ms ago is drawn again: one frame more would move it by more than a pixel. */
export const isDue = (ago: number, pixel: number): boolean => ago + FRAME_MS > pixel;

const UNKNOWN_PACE_MS = 5000;
/** Heard this often, a tag is known to speak steadily; one that speaks on change may be silent for hours. */
const STEADY_AFTER = 8;

/** The same value comes by a frame and by an answer, with other last digits of its time. */
const SAME_MS = 0.01;

/** Wait before the n-th attempt to connect again: 0.2 s growing to 5 s, spread so that a wall of screens does not knock at once.
 * It grows by a third: a server that restarts within five seconds is found again within two. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(200 * 1.33 ** attempt, 5000);
  return full * (0.7 + 0.6 * random());
}

/** How often a tag speaks, learnt from its arrivals. */
export class Pace {
  private interval = NaN;
  private last = NaN;
  private count = 0;

  heard(time: number): void {
    const gap = time - this.last;
    if (gap < SAME_MS) return;
    if (gap > 0) this.interval = Number.isNaN(this.interval) ? gap : this.interval * 0.9 + gap * 0.1;
    this.last = time;
    this.count++;
  }

  /** Whether silence of this age says that the value is no longer known. */
  overdue(age: number): boolean {
    return this.count >= STEADY_AFTER && this.interval <= UNKNOWN_PACE_MS && age > this.patience;
  }

  /** Age at which silence is abnormal: three intervals, and never less than three ticks. */
  get patience(): number {
    return Math.max(STALE_MS, 3 * (Number.isNaN(this.interval) ? UNKNOWN_PACE_MS : this.interval));
  }
}
