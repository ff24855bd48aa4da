import { get } from "../api/http.ts";
import { changed, inUnits } from "../live/changes.ts";
import type { Frame } from "../live/frames.ts";
import { live } from "../live/live.svelte.ts";
import type { ChartRow } from "./types.ts";

/** All control charts, asked once and then heard of as they change. */
export class Charted {
  rows = $state.raw<ChartRow[] | null>(null);
  failure = $state("");

  get stale(): boolean {
    return this.rows !== null && live.stale;
  }

  /** Begin; the answer ends it. */
  open(): () => void {
    const silent = live.hear("charts", (frame) => this.heard(frame));
    const stop = live.onRefill(() => void this.load());
    void this.load();
    return () => {
      silent();
      stop();
    };
  }

  private async load(): Promise<void> {
    try {
      this.rows = (await get<ChartRow[]>("quality")).map(inUnits);
      this.failure = "";
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }

  private heard(frame: Frame): void {
    if (frame.k === "charts") this.rows = changed(this.rows ?? [], frame, (row) => [row.asset, row.name]);
  }
}
