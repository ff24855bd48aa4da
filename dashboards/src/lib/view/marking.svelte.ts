import { asking } from "../api/asking.ts";
import { get, post } from "../api/http.ts";
import type { Prediction } from "../api/types.ts";
import type { Mark } from "../maintenance/types.ts";

/** Whether an answer is a number, one of classes, or that something is so or is not. */
export type Kind = "number" | "classes" | "yes-no";

const WEEK_MS = 7 * 86_400_000;

/** The marks on a model's predictions of an asset, and the way to make and take back one. */
export class Marking {
  kind = $state<Kind | null>(null);
  classes = $state.raw<string[]>([]);
  marks = $state.raw<Mark[]>([]);
  failure = $state("");

  constructor(
    readonly prediction: Prediction,
    private readonly left: AbortSignal,
  ) {}

  async load(): Promise<void> {
    const { model, asset, time, version } = this.prediction;
    const learn = async (signal: AbortSignal): Promise<void> => {
      const told = await get<{ kind: string; classes: string[] }>(`registry/${encodeURIComponent(model)}/scores`, { number: version ?? 1, most: 1 }, signal);
      this.classes = told.classes;
      this.marks = await get<Mark[]>("marks", { asset, name: model, start: time - WEEK_MS }, signal);
      this.kind = told.kind === "regression" ? "number" : told.kind === "classes" ? "classes" : "yes-no";
    };
    await asking(this.left, learn, (why) => (this.failure = why));
  }

  /** Right, or wrong with what is known: a number, a class. What either is or is not so needs nothing more. */
  async mark(by: string, right: boolean, truth: { low?: number; high?: number; truth?: string }, note: string): Promise<void> {
    const { model: name, asset, time, status } = this.prediction;
    const came = Number((status !== "ok") === right);
    const known = this.kind === "yes-no" ? { low: came, high: came } : truth;
    await post("marks", { by, name, asset, time, right, note, ...known });
    await this.load();
  }

  async takeBack(mark: Mark, by: string): Promise<void> {
    await post(`marks/${mark.id}/take-back`, { by });
    await this.load();
  }
}
