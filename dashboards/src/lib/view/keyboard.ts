import { lineHref } from "./route.ts";
import { plant } from "../plant.svelte.ts";
import { router } from "./router.svelte.ts";
import { sections } from "./sections.ts";
import { settings } from "./settings.svelte.ts";

const PATIENCE_MS = 1500;
const here = new Set<(key: string) => void>();

/** Keys of the page that is shown: called with those that mean nothing everywhere; the answer ends it. */
export function whileHere(pressed: (key: string) => void): () => void {
  here.add(pressed);
  return () => here.delete(pressed);
}

/** `g` then a letter goes to a page, `g` then a digit to a line; `w` the wall, `d` the theme, `?` the list of keys. */
export function listenToKeys(): void {
  let leader = Number.NEGATIVE_INFINITY;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const after = event.timeStamp - leader < PATIENCE_MS;
    leader = Number.NEGATIVE_INFINITY;
    if (after) go(event.key);
    else if (event.key === "g") leader = event.timeStamp;
    else if (event.key === "w") settings.toggleWall();
    else if (event.key === "d") settings.toggleTheme();
    else if (event.key === "?") settings.help = !settings.help;
    else if (!document.querySelector("dialog[open]")) own(event);
  });
}

function own(event: KeyboardEvent): void {
  if (!here.size || event.key.length > 1) return;
  event.preventDefault();
  for (const pressed of here) pressed(event.key);
}

function go(key: string): void {
  const line = plant.lines[Number(key) - 1];
  const href = line ? lineHref(line.area, line.line) : sections.find((section) => section.key === key)?.href;
  if (href) router.go(href);
}

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
