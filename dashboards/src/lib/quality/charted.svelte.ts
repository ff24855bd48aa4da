import { asking } from "../api/asking.ts";
import { get } from "../api/http.ts";
import { changed, inUnits } from "../live/changes.ts";
import type { Frame } from "../live/frames.ts";
import { live } from "../live/live.svelte.ts";
import type { ChartRow } from "./types.ts";

const AGAIN_MS = 10_000;

/** All control charts, asked once and then heard of as they change. */
export class Charted {
  value = $state.raw<ChartRow[] | null>(null);
  failure = $state("");

  get stale(): boolean {
    return this.value !== null && live.stale;
  }

  /** Until when (ms) all is known: what changes is heard, so until the newest frame. */
  get told(): number {
    return live.frameTime;
  }

  /** Begin; the answer ends it. */
  open(): () => void {
    const end = new AbortController();
    const ask = (): void => void asking(end.signal, (signal) => this.load(signal), (why) => (this.failure = why));
    const silent = live.hear("charts", (frame) => this.heard(frame));
    const stop = live.onRefill(ask);
    const again = setInterval(() => this.failure && ask(), AGAIN_MS);
    ask();
    return () => {
      end.abort();
      clearInterval(again);
      silent();
      stop();
    };
  }

  private async load(signal: AbortSignal): Promise<void> {
    this.value = (await get<ChartRow[]>("quality", {}, signal)).map(inUnits);
    this.failure = "";
  }

  private heard(frame: Frame): void {
    if (frame.k === "charts") this.value = changed(this.value ?? [], frame, (row) => [row.asset, row.name]);
  }
}
