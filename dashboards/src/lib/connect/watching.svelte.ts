import { call, isAbort } from "./calls.ts";
import type { Reading } from "./types.ts";

const WAIT_MS = 500;
const MOST = 200;

/** What some nodes hold now: asked anew half a second after those that are looked at have changed. */
export class Watching {
  values = $state.raw<ReadonlyMap<string, Reading>>(new Map());
  failure = $state("");
  private asking = new AbortController();
  private wanted = "";
  private timer = 0;

  /** `target` says where to ask, and how the messages of some topics are read. */
  constructor(
    private readonly gateway: string,
    private readonly target: (ids: readonly string[]) => object,
  ) {}

  watch(ids: readonly string[]): void {
    const some = ids.slice(0, MOST);
    const key = some.join("\n");
    if (key === this.wanted) return;
    this.wanted = key;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.follow(some, key), WAIT_MS);
  }

  private async follow(ids: readonly string[], key: string): Promise<void> {
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    while (ids.length && key === this.wanted && !signal.aborted) {
      try {
        await call<{ values: Reading[] }>(this.gateway, "values", this.target(ids), ({ values }) => this.hear(values), signal);
      } catch (error) {
        if (!isAbort(error)) this.failure = (error as Error).message;
        return;
      }
    }
  }

  private hear(values: Reading[]): void {
    const held = new Map(this.values);
    for (const reading of values) held.set(reading.id, reading);
    this.values = held;
    this.failure = "";
  }

  stop(): void {
    this.asking.abort();
    clearTimeout(this.timer);
    this.wanted = "";
  }

  reset(): void {
    this.stop();
    this.values = new Map();
    this.failure = "";
  }
}
