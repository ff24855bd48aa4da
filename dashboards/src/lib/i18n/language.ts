import type { Key } from "./en.ts";

/** What a language brings: a file of its own, which only its readers fetch. */
export interface Language {
  texts: Readonly<Record<Key, string>>;
  words: Readonly<Record<string, string>>;
  /** A sentence of the server; one that is not known stays English. */
  said(sentence: string): string;
  /** An asset as the people at the line call it. */
  named(title: string): string;
}
