import type { SourceHealth, Tag } from "../api/types.ts";
import { type Pace, STALE_MS } from "./pace.ts";

/** A gateway tells every second of its sources. */
const TELLING_MS = 2000;
const ASK_AGAIN_MS = 60_000;

export const isLost = ({ state }: Pick<SourceHealth, "state">): boolean => state !== "connected" && state !== "finished";

interface Heard {
  time: number;
  pace: Pace;
}

/** Which source each tag comes from, and how these are. A tag that is silent while its source speaks has only not changed. */
export class Origins {
  private readonly of = new Map<string, string>();
  private readonly known = new Set<string>();
  private readonly asked = new Map<string, number>();
  private sources = new Map<string, SourceHealth>();

  belong(tags: Iterable<Pick<Tag, "path" | "origin">>): void {
    for (const { path, origin } of tags) {
      if (!origin) continue;
      this.of.set(path, origin);
      this.known.add(origin);
    }
  }

  report(sources: readonly SourceHealth[]): void {
    this.sources = new Map(sources.flatMap((source) => (source.origin ? [[source.origin, source] as const] : [])));
  }

  /** Whether a source speaks of which no tag is known, so that the tags should be asked for again; yes once a minute. */
  lacking(now: number): boolean {
    const fresh = [...this.sources].filter(([origin, { values_per_s }]) => values_per_s > 0 && !this.known.has(origin) && now - (this.asked.get(origin) ?? 0) > ASK_AGAIN_MS);
    for (const [origin] of fresh) this.asked.set(origin, now);
    return fresh.length > 0;
  }

  /** Until when the value of a tag is known: now, unless its source is lost, or all of it is silent. Of a tag that may speak `seldom` only a break of a steady pace counts as silence. */
  knownUntil(tag: string, { time, pace }: Heard, now: number, seldom: boolean): number {
    const source = this.sources.get(this.of.get(tag) ?? "");
    const told = source?.newest_time ?? 0;
    const known = Math.min(now, Math.max(time, told));
    if (source && isLost(source)) return now - known > STALE_MS ? known : now;
    const late = seldom ? pace.overdue(now - time) : now - time > pace.patience;
    const speaks = source?.state === "connected" && now - told < pace.patience + TELLING_MS;
    return late && !speaks ? known : now;
  }
}

export const origins = new Origins();
