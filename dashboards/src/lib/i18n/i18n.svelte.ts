import { remember, remembered } from "../view/settings.svelte.ts";
import { assetInChinese, inChinese, written } from "./chinese.ts";
import { type Key, en } from "./en.ts";
import { type Values, filled } from "./filled.ts";
import { words } from "./words.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";

function first(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? remembered("lang") ?? navigator.language;
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
}

class I18n {
  language = $state<Language>(first());

  toggle(): void {
    this.language = this.language === "en" ? "zh" : "en";
    remember("lang", this.language);
  }
}

export const i18n = new I18n();

/** A text of the pages in the chosen language. */
export function t(key: Key, values: Values = {}): string {
  return filled((i18n.language === "zh" ? zh : en)[key], values);
}

/** A word of the plant (a state, an area, a tag) in the chosen language; one we do not know stays as the server wrote it. */
export function word(text: string | null | undefined, otherwise?: string): string {
  if (!text) return otherwise ?? "";
  const pair = words[text] ?? words[text.toUpperCase()];
  if (pair) return pair[i18n.language === "zh" ? 1 : 0];
  return otherwise ?? said(text);
}

/** A sentence of the server in the chosen language; one we do not know stays English. */
export function said(sentence: string): string {
  return (i18n.language === "zh" && inChinese(sentence)) || written(sentence);
}

/** The name of an asset in the chosen language. */
export function named(asset: { title: string }): string {
  return i18n.language === "zh" ? assetInChinese(asset.title) : asset.title;
}
