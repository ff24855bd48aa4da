import { asking } from "../api/asking.ts";
import { get, post } from "../api/http.ts";
import { clock } from "../live/clock.svelte.ts";
import { plant } from "../plant.svelte.ts";
import type { BestRun } from "../production/types.ts";
import { assetOf } from "../view/route.ts";
import { router } from "../view/router.svelte.ts";
import type { TimeWindow } from "../view/window.svelte.ts";
import { type Shift, lastShift, sameShiftYesterday } from "./shifts.ts";

const DAY = 86_400_000;

interface Shifts {
  time: number[];
  end: number[];
  shift?: (string | null)[] | null;
}

/** With which earlier time the charts of a page are compared, kept in the address: `?compare=shift`, `day`, `week`, `best`, or ms ago. */
export class Comparison {
  private shifts = $state.raw<Shift[]>([]);
  /** The run that goes on, and the best one before. */
  run = $state.raw<BestRun | null>(null);
  /** Why no run is known. */
  failure = $state("");
  readonly kind = $derived(router.parameters.get("compare") ?? "");
  readonly lastShift = $derived(lastShift(this.shifts, this.anchor()));
  /** How much earlier (ms) the compared time was; null when nothing is compared. */
  readonly offset: number | null = $derived.by(() => {
    if (this.kind === "shift") return this.lastShift;
    if (this.kind === "day") return sameShiftYesterday(this.shifts, this.anchor());
    if (this.kind === "week") return 7 * DAY;
    if (this.kind === "best") return this.run?.best ? this.run.now.start - this.run.best.start : null;
    const ago = Number(this.kind);
    return ago > 0 ? ago : null;
  });

  constructor(
    private readonly range: TimeWindow,
    private readonly left: AbortSignal,
  ) {}

  /** An hour in which the calendar is known once it was learnt. */
  readonly hour = $derived(Math.floor(this.anchor() / 3_600_000));

  /** Learn the calendar around an hour of the window from the summaries of a tag, where the plant has shifts. */
  async learn(tag: string, hour: number, signal: AbortSignal): Promise<void> {
    if (!plant.hasShifts) return;
    const at = (hour + 1) * 3_600_000;
    const ask = async (): Promise<void> => {
      const found = await post<Shifts>("aggregate", { tags: [tag], every: "shift", start: Math.floor(at - 2 * DAY), end: Math.ceil(at) }, signal);
      this.shifts = found.time.map((start, i) => ({ name: found.shift?.[i] ?? "", start, end: found.end[i]! }));
    };
    await asking(signal, ask, (why) => console.info("shifts:", why));
  }

  /** Learn the run of what a tag's machine makes in the window, and the best one before. */
  async learnBest(tag: string): Promise<void> {
    const at = this.range.live ? clock.now() : Math.min(clock.now(), this.range.from + 1);
    const ask = async (signal: AbortSignal): Promise<void> => {
      this.run = await get<BestRun>("production/best", { asset: assetOf(tag), at }, signal);
      this.failure = "";
    };
    await asking(this.left, ask, (why) => (this.failure = why));
  }

  /** Lay the best run under the one that goes on: from the begin of both, as long as the longer one. */
  async chooseBest(tag: string): Promise<void> {
    await this.learnBest(tag);
    if (this.left.aborted) return;
    this.choose("best");
    const { now, best } = this.run ?? {};
    if (now && best) this.range.still(now.start, now.start + Math.max(best.end - best.start, Math.min(now.end, clock.now()) - now.start));
  }

  choose(kind: string): void {
    router.set({ compare: kind || null });
  }

  /** Compare with what began at a time (ms). */
  since(time: number): void {
    this.range.advance();
    const ago = Math.round(this.range.from - time);
    if (ago > 0) this.choose(String(ago));
  }

  /** The middle of a window that stands, and the present of one that follows it. */
  private anchor(): number {
    return this.range.live ? clock.second : (this.range.from + this.range.to) / 2;
  }
}
