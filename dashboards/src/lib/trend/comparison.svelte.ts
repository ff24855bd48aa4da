import { post } from "../api/http.ts";
import { clock } from "../live/clock.svelte.ts";
import { plant } from "../plant.svelte.ts";
import { router } from "../view/router.svelte.ts";
import type { TimeWindow } from "../view/window.svelte.ts";
import { type Shift, lastShift, sameShiftYesterday } from "./shifts.ts";

const DAY = 86_400_000;

interface Shifts {
  time: number[];
  end: number[];
  shift?: (string | null)[] | null;
}

/** With which earlier time the charts of a page are compared, kept in the address: `?compare=shift`, `day`, `week`, or ms ago. */
export class Comparison {
  private shifts = $state.raw<Shift[]>([]);
  readonly kind = $derived(router.parameters.get("compare") ?? "");
  readonly lastShift = $derived(lastShift(this.shifts, this.anchor()));
  /** How much earlier (ms) the compared time was; null when nothing is compared. */
  readonly offset: number | null = $derived.by(() => {
    if (this.kind === "shift") return this.lastShift;
    if (this.kind === "day") return sameShiftYesterday(this.shifts, this.anchor());
    if (this.kind === "week") return 7 * DAY;
    const ago = Number(this.kind);
    return ago > 0 ? ago : null;
  });

  constructor(private readonly range: TimeWindow) {}

  /** Learn the calendar around the window from the summaries of a tag, where the plant has shifts. */
  async learn(tag: string): Promise<void> {
    if (!plant.hasShifts) return;
    const at = this.anchor();
    try {
      const found = await post<Shifts>("aggregate", { tags: [tag], every: "shift", start: Math.floor(at - 2 * DAY), end: Math.ceil(at) });
      this.shifts = found.time.map((start, i) => ({ name: found.shift?.[i] ?? "", start, end: found.end[i]! }));
    } catch (error) {
      console.info("shifts:", (error as Error).message);
    }
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
