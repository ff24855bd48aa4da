import { router } from "../view/router.svelte.ts";

/** The time that the address asks for: `?at=` a shift, `?from=…&to=…` any other; nothing: the shift of now. */
export function asked(): { at?: number; start?: number; end?: number } {
  const { parameters } = router;
  const [at, from, to] = ["at", "from", "to"].map((name) => Number(parameters.get(name)) || undefined);
  if (from && to && to > from) return { start: from, end: to };
  return at ? { at } : {};
}

/** The parts of `group/reason`. */
export function parted(reason: string): [string, string] {
  const at = reason.indexOf("/");
  return [reason.slice(0, at), reason.slice(at + 1)];
}
