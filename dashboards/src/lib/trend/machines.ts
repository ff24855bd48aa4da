import type { Asset, Tag } from "../api/types.ts";
import { assetOf } from "../view/route.ts";

/** So many charts are drawn ten times a second, and still fit a screen. */
export const MOST_MACHINES = 24;
/** So many lines of a small chart can be told apart. */
export const MOST_LINES = 4;

/** A machine with those of its tags that are compared, each with its number in every chart. */
export interface Compared {
  asset: Asset;
  tags: { tag: Tag; number: number }[];
}

/** The names that are compared: those of the tags, in their order. */
export const namesOf = (tags: readonly Tag[]): string[] => [...new Set(tags.map((tag) => tag.name))];

/** The machines of the first tag's line that have tags of these names, in the order of the plant. */
export function alike(assets: readonly Asset[], tags: readonly Tag[]): Compared[] {
  const names = namesOf(tags);
  const home = tags[0] && assets.find((asset) => asset.path === assetOf(tags[0]!.path));
  if (!home || names.length > MOST_LINES) return [];
  return assets
    .filter((asset) => asset.area === home.area && asset.line === home.line)
    .map((asset) => ({ asset, tags: numbered(asset, names) }))
    .filter(({ tags: found }) => found.length > 0);
}

function numbered(asset: Asset, names: readonly string[]): Compared["tags"] {
  return names.flatMap((name, i) => {
    const tag = asset.tags.find((one) => one.name === name && one.kind !== "text");
    return tag ? [{ tag, number: i + 1 }] : [];
  });
}
