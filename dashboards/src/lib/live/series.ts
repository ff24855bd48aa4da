import type { History } from "../api/types.ts";
import { isBad, severity } from "../format/quality.ts";
import { heldAt } from "../view/held.ts";

/** Column views for a chart: seconds, value, lowest and highest of the bucket. NaN where there is no good value. */
export type Columns = [Float64Array, Float64Array, Float64Array, Float64Array];

export interface Span {
  from: number;
  to: number;
}

/** A value that held at a time. */
export interface Reading {
  time: number;
  value: number;
  low: number;
  high: number;
  quality: number;
}

/** What a trend draws: history from the server and the live samples after it, in fixed memory. */
export class Series {
  private readonly columns: Columns;
  private readonly quality: Uint32Array;
  private start = 0;
  private end = 0;
  /** Live samples since the last history; the owner asks for history again before the ring would forget. */
  appended = 0;
  downsampled = false;

  constructor(readonly capacity = 8192) {
    const column = (): Float64Array => new Float64Array(capacity * 2);
    this.columns = [column(), column(), column(), column()];
    this.quality = new Uint32Array(capacity * 2);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Newest time in ms. */
  get newest(): number {
    return this.length ? this.columns[0][this.end - 1]! * 1000 : Number.NEGATIVE_INFINITY;
  }

  load(history: History): void {
    this.clear();
    this.downsampled = history.downsampled;
    const skip = Math.max(0, history.time.length - this.capacity);
    for (let i = skip; i < history.time.length; i++) {
      const value = number(history.value[i]);
      this.add(history.time[i]!, value, number(history.low?.[i], value), number(history.high?.[i], value), history.quality[i] ?? 0);
    }
  }

  clear(): void {
    this.start = this.end = this.appended = 0;
  }

  append(time: number, value: number, quality: number): boolean {
    if (time <= this.newest) return false;
    this.add(time, value, value, value, quality);
    this.appended++;
    return true;
  }

  /** Forget what ended before `time` (ms), but keep one sample before it so that the line reaches the edge. */
  trim(time: number): void {
    const seconds = time / 1000;
    while (this.start + 1 < this.end && this.columns[0][this.start + 1]! < seconds) this.start++;
  }

  views(): Columns {
    const view = (column: Float64Array): Float64Array => column.subarray(this.start, this.end);
    const [t, v, low, high] = this.columns;
    return [view(t), view(v), view(low), view(high)];
  }

  /** Runs of bad quality in ms, for the hatch; bad quality holds like a value, until `until` when nothing came after it. */
  badSpans(until = this.newest): Span[] {
    const spans: Span[] = [];
    for (let i = this.start; i < this.end; i++) {
      if (!isBad(this.quality[i]!)) continue;
      const from = this.columns[0][i]! * 1000;
      while (i < this.end && isBad(this.quality[i]!)) i++;
      spans.push({ from, to: i < this.end ? this.columns[0][i]! * 1000 : Math.max(from, until) });
    }
    return spans;
  }

  /** Runs of uncertain quality with the value that each begins with, in ms. */
  uncertain(until = this.newest): (Span & { value: number })[] {
    const spans: (Span & { value: number })[] = [];
    for (let i = this.start; i < this.end; i++) {
      if (severity(this.quality[i]!) !== "uncertain") continue;
      const next = i + 1 < this.end ? this.columns[0][i + 1]! * 1000 : until;
      spans.push({ from: this.columns[0][i]! * 1000, to: next, value: this.columns[1][i]! });
    }
    return spans;
  }

  /** The sample that held at a time (ms); its value is NaN where the quality is bad. */
  at(time: number): Reading | null {
    const held = heldAt(this.columns[0].subarray(this.start, this.end), time / 1000);
    if (held < 0) return null;
    const i = this.start + held;
    const [t, value, low, high] = this.columns;
    return { time: t[i]! * 1000, value: value[i]!, low: low[i]!, high: high[i]!, quality: this.quality[i]! };
  }

  private add(time: number, value: number, low: number, high: number, quality: number): void {
    if (this.end === this.quality.length) this.compact();
    const bad = isBad(quality);
    const i = this.end++;
    this.columns[0][i] = time / 1000;
    this.columns[1][i] = bad ? NaN : value;
    this.columns[2][i] = bad ? NaN : low;
    this.columns[3][i] = bad ? NaN : high;
    this.quality[i] = quality;
    if (this.length > this.capacity) this.start++;
  }

  private compact(): void {
    for (const column of [...this.columns, this.quality]) column.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }
}

function number(value: unknown, otherwise = NaN): number {
  return typeof value === "number" ? value : otherwise;
}
