import type { Tag } from "../api/types.ts";

export interface Named {
  tag: Tag;
  /** What it is called, where it is, in the language of the page. */
  name: string;
  place: string;
}

/** The best `most` tags that hold every typed word in their path, name or place: those whose name begins with it come first. */
export function found(all: readonly Named[], typed: string, most: number): Named[] {
  const words = typed.toLowerCase().split(/[\s/]+/).filter(Boolean);
  if (!words.length) return all.slice(0, most);
  const ranked: [number, number, Named][] = [];
  all.forEach((one, i) => {
    const name = `${one.name} ${one.tag.name}`.toLowerCase();
    const text = `${name} ${one.place} ${one.tag.path} ${one.tag.unit}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return;
    const begins = words.filter((word) => name.startsWith(word) || one.tag.name.toLowerCase().startsWith(word)).length;
    const within = words.filter((word) => name.includes(word)).length;
    ranked.push([-2 * begins - within, i, one]);
  });
  return ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, most).map(([, , one]) => one);
}
