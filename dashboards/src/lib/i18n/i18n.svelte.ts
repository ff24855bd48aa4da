import { whyMissing } from "../view/anew.ts";
import { remember } from "../view/remembered.ts";
import type { Key } from "./en.ts";
import { type Values, filled } from "./filled.ts";
import type { Language } from "./language.ts";
import type { Code } from "./preferred.ts";

const LANGUAGES: Record<Code, () => Promise<Language>> = {
  en: async () => (await import("./en.ts")).en,
  zh: async () => (await import("./zh.ts")).zh,
};

class I18n {
  private shown = $state.raw<{ code: Code; language: Language }>();
  /** Why the other language did not come. */
  failure = $state("");

  /** Texts are asked for only once a language is shown. */
  get own(): Language {
    return this.shown!.language;
  }

  get language(): Code {
    return this.shown!.code;
  }

  async show(code: Code): Promise<void> {
    this.shown = { code, language: await LANGUAGES[code]() };
  }

  /** On to the other language, once it is here: until then, and where it does not come, all stays as it is. */
  async toggle(): Promise<void> {
    const other = this.language === "en" ? "zh" : "en";
    this.failure = "";
    try {
      await this.show(other);
      remember("lang", other);
    } catch {
      const why = await whyMissing();
      if (this.language !== other) this.failure = why;
    }
  }
}

export const i18n = new I18n();

export function isKey(text: string): text is Key {
  return text in i18n.own.texts;
}

/** A text of the pages in the chosen language. */
export function t(key: Key, values: Values = {}): string {
  return filled(i18n.own.texts[key], values);
}

/** A word of the plant (a state, an area, a tag) in the chosen language; one we do not know stays as the server wrote it. */
export function word(text: string | null | undefined, otherwise?: string): string {
  if (!text) return otherwise ?? "";
  const { words } = i18n.own;
  return words[text] ?? words[text.toUpperCase()] ?? otherwise ?? said(text);
}

/** A sentence of the server in the chosen language; one we do not know stays English. */
export function said(sentence: string): string {
  return i18n.own.said(sentence);
}

/** The name of an asset in the chosen language. */
export function named(asset: { title: string }): string {
  return i18n.own.named(asset.title);
}
