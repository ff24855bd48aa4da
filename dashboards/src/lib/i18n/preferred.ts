import { remembered } from "../view/remembered.ts";

export type Code = "en" | "zh";

/** The reader's language: asked for in the address, chosen before, or that of the browser. */
export function preferred(): Code {
  const asked = new URLSearchParams(location.search).get("lang") ?? remembered("lang") ?? navigator.language;
  return asked.toLowerCase().startsWith("zh") ? "zh" : "en";
}
