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
    const silent = live.hear("charts", (frame) => this.heard(frame));
    const stop = live.onRefill(() => void this.load());
    const again = setInterval(() => void (this.failure && this.load()), AGAIN_MS);
    void this.load();
    return () => {
      clearInterval(again);
      silent();
      stop();
    };
  }

  private async load(): Promise<void> {
    try {
      this.value = (await get<ChartRow[]>("quality")).map(inUnits);
      this.failure = "";
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  private heard(frame: Frame): void {
    if (frame.k === "charts") this.value = changed(this.value ?? [], frame, (row) => [row.asset, row.name]);
  }
}
