import { router } from "../view/router.svelte.ts";
import type { TimeWindow } from "../view/window.svelte.ts";

const PLAYED_IN_MS = 30_000;

/** The moment at which all charts of a page are read: put by a person, moved by playing back, kept in the address (`?at=`). */
export class Scrub {
  at = $state<number | null>(null);
  playing = $state(false);
  private before = 0;

  constructor(private readonly range: TimeWindow) {
    const at = Number(router.parameters.get("at"));
    if (at) this.at = at;
  }

  /** Look at a moment; null looks at the present again. */
  put(at: number | null, remember = true): void {
    this.at = at;
    if (remember) router.set({ at: at === null ? null : String(Math.round(at * 1000) / 1000) });
  }

  step(share: number): void {
    const { from, to, span } = this.range;
    this.put(Math.min(to, Math.max(from, (this.at ?? to) + span * share)));
  }

  /** Play from the moment, or from the beginning; the window stands still meanwhile. */
  toggle(): void {
    this.playing = !this.playing;
    if (!this.playing) return this.put(this.at);
    const { from, to } = this.range;
    if (this.range.live) this.range.still(from, to);
    if (this.at === null || this.at < from || this.at >= to) this.at = from;
    this.before = performance.now();
    requestAnimationFrame((now) => this.play(now));
  }

  stop(): void {
    this.playing = false;
  }

  private play(now: number): void {
    if (!this.playing || this.at === null) return;
    const { to, span } = this.range;
    this.at = Math.min(to, this.at + (span * Math.max(0, now - this.before)) / PLAYED_IN_MS);
    this.before = now;
    if (this.at >= to) this.toggle();
    else requestAnimationFrame((next) => this.play(next));
  }
}
