import { clock } from "../live/clock.svelte.ts";
import { router } from "./router.svelte.ts";

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
/** So near to the right edge of a live window (share of it) the present is meant. */
const AT_PRESENT = 0.08;
const SHORTEST = 1;
const LONGEST = 5 * 366 * 1440 * MINUTE;

/** Milliseconds as the address holds them: to the microsecond. */
const written = (ms: number): string => String(Math.round(ms * 1000) / 1000);

/** The time range of a page, kept in its address: `?span=1h` follows the present, `?from=…&to=…` stands still. */
export class TimeWindow {
  live = $state(true);
  span = $state(SPANS["15min"]!);
  from = $state(0);
  to = $state(0);

  constructor(preset = "15min") {
    const { parameters } = router;
    const from = Number(parameters.get("from"));
    const to = Number(parameters.get("to"));
    this.span = SPANS[parameters.get("span") ?? preset] ?? SPANS[preset]!;
    if (from && to > from) this.still(from, to, false);
    else this.follow(this.span, false);
  }

  /** Name of the preset in use, when there is one. */
  get preset(): string | undefined {
    return this.live ? Object.keys(SPANS).find((name) => SPANS[name] === this.span) : undefined;
  }

  follow(span: number, remember = true): void {
    this.live = true;
    this.span = span;
    this.advance();
    if (remember) router.set({ from: null, to: null, span: this.preset ?? null });
  }

  still(from: number, to: number, remember = true): void {
    const now = clock.now();
    const span = Math.min(LONGEST, Math.max(SHORTEST, to - from));
    const end = Math.min((from + to + span) / 2, now + span / 2);
    this.live = false;
    this.span = span;
    this.from = end - span;
    this.to = end;
    if (remember) router.set({ span: null, from: written(this.from), to: written(this.to) });
  }

  pan(share: number): void {
    this.still(this.from + this.span * share, this.to + this.span * share);
  }

  /** Show `factor` times as much; what is at `around` (ms) stays where it is, without it the present or the middle. */
  zoom(factor: number, around?: number): void {
    const present = around === undefined || this.to - around < this.span * AT_PRESENT;
    if (this.live && present) return this.follow(Math.min(LONGEST, Math.max(1000, this.span * factor)));
    const fixed = around ?? (this.from + this.to) / 2;
    const span = Math.min(LONGEST, Math.max(SHORTEST, this.span * factor));
    const from = fixed - ((fixed - this.from) * span) / this.span;
    this.still(from, from + span);
  }

  /** Move the live window to the present. */
  advance(): void {
    if (!this.live) return;
    this.to = clock.now();
    this.from = this.to - this.span;
  }

  key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft") this.pan(-0.25);
    else if (event.key === "ArrowRight") this.pan(0.25);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else if (event.key === "l" || event.key === "Home") this.follow(Math.min(this.span, SPANS["7d"]!));
    else return;
    event.preventDefault();
  }
}
