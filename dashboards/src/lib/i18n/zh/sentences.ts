import { words as english } from "../words.ts";
import { written } from "../written.ts";
import { phrases } from "./phrases.ts";
import { words } from "./words.ts";

/** A phrase whose braces have become groups. */
interface Form {
  pattern: RegExp;
  names: string[];
  chinese: string;
}

const REMEMBERED = 2000;
const remembered = new Map<string, string | null>();
const names = new Map<string, string>();
for (const [code, chinese] of Object.entries(words)) {
  names.set(code, chinese);
  names.set(english[code as keyof typeof english].toLowerCase(), chinese);
}

const forms: Form[] = phrases.map(([english, chinese]) => {
  const places = [...english.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const source = english.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, (_, name) => (name === "what" || name === "list" ? "(.+)" : "(.+?)"));
  return { pattern: new RegExp(`^${source}$`), names: places, chinese };
});

/** An asset as the people at the line call it: "Pot 17" is 17 号槽. */
export function named(title: string): string {
  return title.replace(/^Pot (\d+)$/, "$1 号槽");
}

/** What the server says in English, in Chinese, sentence by sentence; one that is not known stays. Null when none is known. */
export function inChinese(text: string): string | null {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const parts = text.split(/(?<=[.!?]) +(?=[A-Z0-9])/);
  const told = parts.map((part) => names.get(part.toLowerCase()) ?? phrase(part));
  const said = told.every((one) => one === null) ? null : written(told.map((one, i) => one ?? parts[i]).join(""));
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(text, said);
  return said;
}

function phrase(text: string): string | null {
  for (const { pattern, names: places, chinese } of forms) {
    const match = pattern.exec(text);
    if (!match) continue;
    return chinese.replace(/\{(\w+)\}/g, (whole, place: string) => {
      const text = match[places.indexOf(place) + 1];
      if (text === undefined) return whole;
      return place === "list" ? text.split("; ").map((one) => phrase(one) ?? filling(one)).join("；") : filling(text);
    });
  }
  return null;
}

function filling(text: string): string {
  if (/^[\d.+−-]/.test(text)) return /[a-z]{4}/.test(text) ? (phrase(text) ?? text) : text;
  return names.get(text) ?? names.get(text.toLowerCase()) ?? (/[a-z]{4}/.test(text) ? phrase(text) : null) ?? named(text);
}
