import type { Alarm, Prediction, Tag } from "../api/types.ts";
import { fixed } from "../format/numbers.ts";
import { i18n, told, word } from "../i18n/i18n.svelte.ts";

/** A tag as people call it: its title from the plant file, or our Chinese word for it. */
export function tagName(tag: Pick<Tag, "name" | "title" | "unit">): string {
  const title = tag.title || tag.name;
  if (i18n.language === "en") return title;
  return word(`${tag.name} ${tag.unit}`, "") || word(tag.name, title);
}

type Facts = Record<string, string | number>;

/** Numbers and names of an alarm as its translation needs them. */
export function alarmFacts(alarm: Alarm, asset: string): Facts {
  const tag = alarm.tag?.split("/").at(-1) ?? "";
  const facts: Facts = { asset, tag: word(tag), unit: alarm.unit };
  for (const [name, value] of Object.entries(alarm.values)) facts[name] ??= rounded(value);
  if (alarm.value !== null) facts["value"] = rounded(alarm.value);
  if (alarm.limit !== null) facts["limit"] = rounded(alarm.limit);
  return facts;
}

/** What is wrong, without the name of the asset that stands beside it. */
export function alarmTitle(alarm: Alarm, asset: string): string {
  const plain = alarm.title.endsWith(`: ${asset}`) ? alarm.title.slice(0, -asset.length - 2) : alarm.title;
  return told(alarm.kind === "model" ? `title.${alarm.code}` : alarm.code, plain || alarm.sentence, alarmFacts(alarm, asset));
}

/** A reason in the chosen language; its feature values fill the translation. */
export function reasonTold(reason: Prediction["reasons"][number]): string {
  const facts: Facts = { tag: word(reason.tag?.split("/").at(-1) ?? "") };
  for (const [name, value] of Object.entries(reason.values)) {
    const key = name.replace(/[^\w.]+/g, "_");
    facts[key] = rounded(value);
    if (key.endsWith("ratio") && typeof value === "number") facts["change"] = signed((value - 1) * 100);
    if (typeof value === "number") facts[`${key}_percent`] = fixed(value * 100, 0);
  }
  return told(`reason.${reason.code}`, reason.sentence, facts);
}

function rounded(value: unknown): string {
  if (typeof value !== "number") return String(value ?? "");
  const size = Math.abs(value);
  return fixed(value, size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

const signed = (value: number): string => (value >= 0 ? "+" : "") + fixed(value, 0);
