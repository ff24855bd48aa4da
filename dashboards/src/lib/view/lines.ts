import type { Asset, Prediction, Tag } from "../api/types.ts";

export interface LineView {
  id: string;
  area: string;
  line: string;
  assets: Asset[];
}

/** Lines in the order of the plant file. */
export function linesOf(assets: readonly Asset[]): LineView[] {
  const lines = new Map<string, LineView>();
  for (const asset of assets) {
    const id = `${asset.area}/${asset.line}`;
    const line = lines.get(id) ?? { id, area: asset.area, line: asset.line, assets: [] };
    line.assets.push(asset);
    lines.set(id, line);
  }
  return [...lines.values()];
}

interface Face {
  /** Tags of a tile, the first one is the key number. */
  tile: string[];
  /** Tags whose trends an engineer reads first. */
  main: string[];
  /** The prediction that belongs on a tile. */
  target: string;
}

const FACES: Record<string, Face> = {
  "machine-tool": {
    tile: ["spindle.load", "vibration.rms", "spindle.temperature"],
    main: ["spindle.power", "spindle.load", "vibration.rms", "spindle.temperature", "bearing.temperature", "coolant.flow", "feed.rate", "axis.z.load"],
    target: "tool_life",
  },
  "reduction-pot": {
    tile: ["voltage", "noise", "duct.temperature"],
    main: ["voltage", "resistance", "noise", "current", "duct.temperature", "feed.rate", "bath.height", "beam.position"],
    target: "anode_effect",
  },
};

const numeric = (tag: Tag): boolean => tag.kind !== "text";

function chosen(asset: Asset, names: string[], count: number): Tag[] {
  const known = names.flatMap((name) => asset.tags.find((tag) => tag.name === name) ?? []);
  if (known.length) return known;
  const tags = asset.tags.filter((tag) => numeric(tag) && !tag.writable);
  return [...tags.filter((tag) => tag.normal), ...tags.filter((tag) => !tag.normal)].slice(0, count);
}

/** The tags of a tile: what we know of this type, else the first numbers that have a normal range. */
export const tileTags = (asset: Asset): Tag[] => chosen(asset, FACES[asset.type]?.tile ?? [], 3);
export const mainTags = (asset: Asset): Tag[] => chosen(asset, FACES[asset.type]?.main ?? [], 6);
export const keyTag = (asset: Asset): Tag | undefined => tileTags(asset)[0];
export const stateTag = (asset: Asset): Tag | undefined => asset.tags.find((tag) => tag.name === "state");

const URGENCY = { act: 3, watch: 2, ok: 1, unknown: 0 } as const;
export const urgency = (prediction: Prediction): number => URGENCY[prediction.status] ?? 0;

/** The prediction that a tile shows: its type's own one, unless another is more urgent. */
export function headline(asset: Asset, predictions: readonly Prediction[]): Prediction | undefined {
  const own = predictions.find((one) => one.target === FACES[asset.type]?.target) ?? predictions[0];
  const worst = predictions.reduce<Prediction | undefined>((a, b) => (!a || urgency(b) > urgency(a) ? b : a), undefined);
  return worst && own && urgency(worst) > Math.max(urgency(own), 1) ? worst : own;
}

const RUNNING = new Set(["EXECUTE", "NORMAL", "OVERFEED", "UNDERFEED", "RUNNING", "STARTING", "COMPLETE", "COMPLETING", "RESUMING"]);
const HALTED = new Set(["ABORTED", "ABORTING", "STOPPED", "STOPPING", "HELD", "HOLDING", "SUSPENDED", "ANODE_EFFECT", "FAULT", "ALARM"]);

export type StateKind = "run" | "wait" | "halt";

export function stateKind(state: string | null | undefined): StateKind {
  const word = (state ?? "").toUpperCase();
  return HALTED.has(word) ? "halt" : RUNNING.has(word) ? "run" : "wait";
}
