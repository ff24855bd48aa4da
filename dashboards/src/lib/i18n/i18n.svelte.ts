import { remember, remembered } from "../view/settings.svelte.ts";
import { codes, type Codes } from "./codes.ts";
import { type Key, en } from "./en.ts";
import { words } from "./words.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";
type Values = Record<string, string | number | null | undefined>;

function first(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? remembered("lang") ?? navigator.language;
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function filled(template: string, values: Values): string {
  return template.replace(/\{([\w.]+)\}/g, (whole, name: string) => String(values[name] ?? whole));
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
  return pair ? pair[i18n.language === "zh" ? 1 : 0] : (otherwise ?? text);
}

/** A sentence of the server: by its code where we have a translation with all its values, else as it is. */
export function told(code: string, sentence: string, values: Values = {}): string {
  if (i18n.language === "en") return sentence;
  const template = (codes as Codes)[code];
  if (!template) return sentence;
  const text = filled(template, values);
  return /\{[\w.]+\}/.test(text) ? sentence : text;
}
