import type { Alarm, Tag } from "../api/types.ts";
import { i18n, said, word } from "../i18n/i18n.svelte.ts";

/** A tag as people call it: its title from the plant file, or our Chinese word for it. */
export function tagName(tag: Pick<Tag, "name" | "title" | "unit">): string {
  const title = tag.title || tag.name;
  if (i18n.language === "en") return title;
  return word(`${tag.name} ${tag.unit}`, "") || word(tag.name, title);
}

/** What is wrong, without the name of the asset that stands beside it. */
export function alarmTitle(alarm: Pick<Alarm, "title" | "sentence">, asset: string): string {
  const plain = alarm.title.endsWith(`: ${asset}`) ? alarm.title.slice(0, -asset.length - 2) : alarm.title;
  return said(plain || alarm.sentence);
}
