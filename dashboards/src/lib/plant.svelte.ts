import { get } from "./api/http.ts";
import type { Alarm, Asset, Health, Model, ModelLife, Prediction, Tag } from "./api/types.ts";
import { backoff } from "./live/pace.ts";
import { clock } from "./live/clock.svelte.ts";
import { live } from "./live/live.svelte.ts";
import type { Frame } from "./live/frames.ts";
import { type LineView, linesOf } from "./view/lines.ts";

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

  readonly lines: LineView[] = $derived(linesOf(this.assets));
  private readonly byPath = $derived(new Map(this.assets.map((asset) => [asset.path, asset])));
  private attempt = 0;
  private said = "";

  start(): void {
    live.onTopic((frame) => this.heard(frame));
    live.onRefill(() => void this.load());
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
      this.alarms = alarms;
      this.predictions = grouped(predictions);
      this.takeHealth(health);
      this.failure = "";
      this.ready = true;
      this.attempt = 0;
    } catch (error) {
      this.failure = (error as Error).message;
      setTimeout(() => void this.load(), backoff(this.attempt++));
    }
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
    if (frame.k === "alarms") this.alarms = (frame.items as Alarm[]).map(inUnits);
    else if (frame.k === "predictions") this.predictions = merged(this.predictions, frame.items as Prediction[]);
    else if (frame.k === "health") this.takeHealth(frame.value as Health);
  }

  /** The same assets again change nothing: what is drawn and subscribed stays. */
  private takeAssets(assets: Asset[]): void {
    const said = JSON.stringify(assets.map((asset) => ({ ...asset, state: null, alarms: null })));
    if (said === this.said) return;
    this.said = said;
    this.assets = assets.map(withUnits);
  }

  private takeHealth(health: Health): void {
    clock.heard(health.time);
    this.health = health;
  }
}

/** ASCII units of the wire as people write them. */
const UNITS: Readonly<Record<string, string>> = { um: "µm", uOhm: "µΩ", Ohm: "Ω", degC: "°C" };

function withUnits(asset: Asset): Asset {
  return { ...asset, tags: asset.tags.map(inUnits) };
}

/** The same thing with its unit as people write it. */
export function inUnits<T extends { unit: string }>(item: T): T {
  return { ...item, unit: UNITS[item.unit] ?? item.unit };
}

function grouped(items: Prediction[]): Map<string, Prediction[]> {
  const map = new Map<string, Prediction[]>();
  for (const item of items) {
    map.set(item.asset, [...(map.get(item.asset) ?? []), inUnits(item)]);
  }
  return map;
}

/** The server sends what changed: replace by asset and target, keep the rest. */
function merged(old: ReadonlyMap<string, Prediction[]>, items: Prediction[]): Map<string, Prediction[]> {
  const map = new Map(old);
  for (const [asset, fresh] of grouped(items)) {
    const kept = (old.get(asset) ?? []).filter((one) => !fresh.some((item) => item.target === one.target));
    map.set(asset, [...kept, ...fresh]);
  }
  return map;
}

export const plant = new Plant();

/** Whether two answers are not the same: what is shown is drawn again, and asked about again, only then. */
function differs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
