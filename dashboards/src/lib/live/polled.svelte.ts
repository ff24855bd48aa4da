import { clock } from "./clock.svelte.ts";
import { live } from "./live.svelte.ts";

const STALE_MS = 45_000;

/**
 * Something that is asked for again and again; what was told last stays while the server does not answer. In an effect,
 * `$effect(() => polled.every(ms))`, it is asked anew when what the question reads has changed, until the component goes.
 */
export class Polled<T> {
  value = $state.raw<T | null>(null);
  failure = $state("");
  /** Server time (ms) of the newest answer. */
  told = $state(0);
  private asked: AbortController | undefined;
  private asking = false;

  constructor(private readonly ask: (signal: AbortSignal) => Promise<T>) {}

  /** Whether what is shown was true a while ago. */
  get stale(): boolean {
    return this.value !== null && (live.stale || this.failure !== "" || clock.second - this.told > STALE_MS);
  }

  async load(): Promise<void> {
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    this.asking = true;
    try {
      const told = await this.ask(signal);
      if (signal.aborted) return;
      this.value = told;
      this.told = clock.now();
      this.failure = "";
    } catch (error) {
      if (!signal.aborted) this.failure = (error as Error).message;
    } finally {
      if (!signal.aborted) this.asking = false;
    }
  }

  /** Ask now; the answer ends it. */
  once(): () => void {
    void this.load();
    return () => this.asked?.abort();
  }

  /** Ask now, every so many ms, and when the link is back; the answer ends it. A slow server is waited for, not asked again. */
  every(ms: number): () => void {
    const end = this.once();
    const timer = setInterval(() => void (this.asking || this.load()), ms);
    const stop = live.onRefill(() => void this.load());
    return () => {
      clearInterval(timer);
      stop();
      end();
    };
  }
}
