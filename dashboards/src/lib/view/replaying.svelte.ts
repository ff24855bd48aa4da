import { asking } from "../api/asking.ts";
import { get, post } from "../api/http.ts";
import type { ModelEvent, ReplayJob, Replayed } from "../api/types.ts";

const DAY = 86_400_000;
const EVERY_MS = 700;
export const REPLAY_SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY } as const;
export type ReplaySpan = keyof typeof REPLAY_SPANS;

/** The newest replay of a version that is kept in the audit; of any version without a number. */
export function newestReplay(events: readonly ModelEvent[], number?: number): Replayed | null {
  const found = events.find((event) => event.what === "replayed" && (number === undefined || event.number === number));
  return (found?.detail as Replayed | undefined) ?? null;
}

/** A replay that goes on, from its start to what came of it. */
export class Replaying {
  job = $state.raw<ReplayJob | null>(null);
  failure = $state("");
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: string,
    private readonly done: () => void,
    private readonly left: AbortSignal,
  ) {}

  get running(): boolean {
    return this.job?.state === "running";
  }

  /** One that began before this page was opened. */
  async find(): Promise<void> {
    const find = async (signal: AbortSignal): Promise<void> => {
      const several = await get<ReplayJob[]>("registry/replays", {}, signal);
      const mine = several.find((job) => job.name === this.model && job.state === "running");
      if (mine && !this.job) this.take(mine);
    };
    await asking(this.left, find, (why) => (this.failure = why));
  }

  async begin(number: number, scope: string, span: ReplaySpan, now: number): Promise<void> {
    const path = `registry/${encodeURIComponent(this.model)}/replay`;
    await this.ask(() => post<ReplayJob>(path, { number, scope, start: now - REPLAY_SPANS[span], end: now }, this.left));
  }

  async cancel(): Promise<void> {
    if (this.job) await this.ask(() => post<ReplayJob>(`registry/replays/${this.job?.id}/cancel`, {}, this.left));
  }

  private async ask(question: () => Promise<ReplayJob>): Promise<void> {
    clearTimeout(this.timer);
    const take = async (): Promise<void> => {
      this.take(await question());
      this.failure = "";
    };
    await asking(this.left, take, (why) => (this.failure = why));
  }

  private take(job: ReplayJob): void {
    this.job = job;
    if (job.state === "running") this.timer = setTimeout(() => void this.ask(() => get<ReplayJob>(`registry/replays/${job.id}`, {}, this.left)), EVERY_MS);
    else if (job.state === "done") this.done();
  }
}
