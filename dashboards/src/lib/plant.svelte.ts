import { get } from "./api/http.ts";
import type { Alarm, Asset, Health, Model, ModelLife, Prediction, Tag } from "./api/types.ts";
import { setZone } from "./format/zone.ts";
import { backoff } from "./live/pace.ts";
import { clock } from "./live/clock.svelte.ts";
import { live } from "./live/live.svelte.ts";
import { origins } from "./live/origins.ts";
import type { Frame } from "./live/frames.ts";
import { changed, inUnits } from "./live/changes.ts";
import { type LineView, linesOf } from "./view/lines.ts";

export { inUnits };

/** What of assets and their tags is no reason to draw and subscribe them anew. */
const CHANGING = new Set(["state", "alarms", "origin"]);

/** What the server says about the plant: its assets once, the rest as it changes. */
class Plant {
  assets = $state.raw<Asset[]>([]);
  alarms = $state.raw<Alarm[]>([]);
  predictions = $state.raw<ReadonlyMap<string, Prediction[]>>(new Map());
  health = $state.raw<Health | null>(null);
  models = $state.raw<Model[]>([]);
  lives = $state.raw<ModelLife[]>([]);
  /** Loaded once; stays true while the server is away. */
  ready = $state(false);
  failure = $state("");

  /** Whether the plant works in shifts; undefined before the server has said so. */
  readonly hasShifts = $derived(this.health ? this.health.shifts.length > 0 : undefined);
  readonly lines: LineView[] = $derived(linesOf(this.assets));
  private readonly byPath = $derived(new Map(this.assets.map((asset) => [asset.path, asset])));
  private attempt = 0;
  private said = "";

  start(): void {
    live.onTopic((frame) => this.heard(frame));
    live.onRefill((first) => void (first || this.load()));
    void this.load();
  }

  asset(path: string): Asset | undefined {
    return this.byPath.get(path);
  }

  tag(path: string): Tag | undefined {
    const cut = path.lastIndexOf("/");
    const name = path.slice(cut + 1);
    return this.asset(path.slice(0, cut))?.tags.find((tag) => tag.name === name);
  }

  alarmsOf(asset: string): Alarm[] {
    return this.alarms.filter((alarm) => alarm.asset === asset);
  }

  predictionsOf(asset: string): Prediction[] {
    return this.predictions.get(asset) ?? [];
  }

  async load(): Promise<void> {
    try {
      const [assets, alarms, predictions, health] = await Promise.all([
        get<Asset[]>("assets"),
        get<Alarm[]>("alarms", { state: "open" }),
        get<Prediction[]>("predictions"),
        get<Health>("health"),
      ]);
      this.takeAssets(assets);
      this.alarms = alarms.map(inUnits);
      this.predictions = byAsset(predictions.map(inUnits));
      this.takeHealth(health);
      this.failure = "";
      this.ready = true;
      this.attempt = 0;
    } catch (error) {
      this.failure = (error as Error).message;
      setTimeout(() => void this.load(), backoff(this.attempt++));
    }
  }

  /** Tags that a new connection brought are known to the server with their first values. */
  async loadAssets(): Promise<void> {
    this.takeAssets(await get<Asset[]>("assets"));
  }

  async loadModels(): Promise<void> {
    const [models, lives] = await Promise.all([get<Model[]>("models"), get<ModelLife[]>("registry")]);
    const shown = models.map((model) => ({ ...model, metrics: model.metrics.map(inUnits) }));
    if (differs(this.lives, lives)) this.lives = lives;
    if (differs(this.models, shown)) this.models = shown;
  }

  async loadAlarms(): Promise<void> {
    this.alarms = (await get<Alarm[]>("alarms", { state: "open" })).map(inUnits);
  }

  private heard(frame: Frame): void {
    if (frame.k === "alarms") this.alarms = changed(this.alarms, frame, (alarm) => [String(alarm.id)]);
    else if (frame.k === "predictions") {
      this.predictions = byAsset(changed([...this.predictions.values()].flat(), frame, (one) => [one.asset, one.target]));
    }
    else if (frame.k === "health") this.takeHealth(frame.value as Health);
  }

  /** The same assets again change nothing: what is drawn and subscribed stays. */
  private takeAssets(assets: Asset[]): void {
    origins.belong(assets.flatMap((asset) => asset.tags));
    const said = JSON.stringify(assets, (key, value) => (CHANGING.has(key) ? null : value));
    if (said === this.said) return;
    this.said = said;
    this.assets = assets.map(withUnits);
  }

  private takeHealth(health: Health): void {
    clock.heard(health.time);
    setZone(health.timezone);
    origins.report(health.sources);
    if (this.ready && origins.lacking(health.time)) this.loadAssets().catch(() => undefined);
    this.health = health;
  }
}

function withUnits(asset: Asset): Asset {
  return { ...asset, tags: asset.tags.map(inUnits) };
}

function byAsset(items: readonly Prediction[]): Map<string, Prediction[]> {
  const map = new Map<string, Prediction[]>();
  for (const item of items) {
    const known = map.get(item.asset);
    if (known) known.push(item);
    else map.set(item.asset, [item]);
  }
  return map;
}

export const plant = new Plant();

/** Whether two answers are not the same: what is shown is drawn again, and asked about again, only then. */
function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
