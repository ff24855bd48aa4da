import { history } from "../api/history.ts";
import type { History } from "../api/types.ts";
import { clock } from "../live/clock.svelte.ts";
import { live } from "../live/live.svelte.ts";
import { STALE_MS } from "../live/pace.ts";
import { type Reading, Series, type Span } from "../live/series.ts";
import type { TimeWindow } from "../view/window.svelte.ts";
import { around, pointsOf, takeEarly } from "../view/early.ts";

const REFRESH_AFTER = 3000;

/** What is known of one tag in a time window: its history, the live samples after it, and the same tag at an earlier time beside it. */
export class Traced {
  readonly series = new Series();
  readonly earlier = new Series();
  failure = $state("");
  /** Counts what was loaded: whoever reads it is renewed when other values are known. */
  loaded = $state(0);
  private asked: AbortController | undefined;
  private earlierUntil = Number.NEGATIVE_INFINITY;

  /** `offset` tells how much earlier (ms) the compared time was, null when nothing is compared. */
  constructor(
    readonly path: string,
    private readonly range: TimeWindow,
    private readonly offset: () => number | null = () => null,
  ) {}

  /** Ask for the window, for a chart of so many pixels. Another question, or `stop`, ends the one before: it tells false. */
  async load(width: number): Promise<boolean> {
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    this.range.advance();
    const points = pointsOf(width);
    try {
      await Promise.all([this.loadNow(points, signal), this.loadEarlier(points, signal)]);
      this.failure = "";
    } catch (error) {
      if (signal.aborted) return false;
      this.failure = (error as Error).message;
    }
    this.asked = undefined;
    this.loaded++;
    return true;
  }

  stop(): void {
    this.asked?.abort();
  }

  /** Take live samples in until the returned function is called. */
  follow(reload: () => void): () => void {
    const stops = [
      live.watch([this.path]),
      live.follow(this.path, (time, value, quality) => {
        if (this.range.live) this.series.append(time, value, quality);
      }),
      live.onRefill((first) => (this.range.live || !first) && reload()),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** The ring would soon forget, or the compared time ends: history must be asked again, and is not being asked. */
  get wanting(): boolean {
    if (this.asked) return false;
    return this.series.appended > REFRESH_AFTER || (this.offset() !== null && this.range.to > this.earlierUntil);
  }

  /** Nothing is drawn of the future, nor of what a silent server did not tell. */
  until(): number {
    const { range } = this;
    return Math.max(Math.min(range.to, range.live ? live.knownUntil(this.path) : clock.now()), Math.min(this.series.newest, range.to));
  }

  /** The time that nothing is known of because the server or the tag fell silent, up to the present. */
  silence(): Span | null {
    const known = this.until();
    return this.range.live && this.series.length && this.range.to - known > STALE_MS ? { from: known, to: this.range.to } : null;
  }

  /** Where nothing good is known: bad quality, and silence. */
  badSpans(): Span[] {
    return [...this.series.badSpans(this.until()), this.silence() ?? []].flat();
  }

  /** The value that held at a time (ms), with its quality; null of the future and of what is not known. */
  at(time: number): Reading | null {
    return time > this.until() ? null : this.series.at(time);
  }

  private async loadNow(points: number, signal: AbortSignal): Promise<void> {
    const { from, to } = this.range;
    const found = await (takeEarly(this.path, from, to) ?? this.ask(from, to, points, signal));
    signal.throwIfAborted();
    this.series.load(found);
  }

  private async loadEarlier(points: number, signal: AbortSignal): Promise<void> {
    const offset = this.offset();
    if (offset === null) return void (this.earlier.length && this.earlier.clear());
    const { from, to, span } = this.range;
    const until = this.range.live ? to + span * 0.2 : to;
    const past = await this.ask(from - offset, until - offset, points, signal);
    this.earlier.load({ ...past, time: past.time.map((time) => time + offset) });
    this.earlierUntil = until;
  }

  private ask(from: number, to: number, points: number, signal: AbortSignal): Promise<History> {
    return history({ tag: this.path, ...around(from, to), points, previous: true }, signal);
  }
}

/** The time that nothing is known of any of these, when all of them are silent. */
export function silence(traces: readonly Traced[]): Span | null {
  const silent = traces.flatMap((one) => one.silence() ?? []);
  return silent.length && silent.length === traces.length ? { from: Math.max(...silent.map(({ from }) => from)), to: silent[0]!.to } : null;
}
