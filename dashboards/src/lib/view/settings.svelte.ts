import { remember, remembered } from "./remembered.ts";
import type { Page } from "./route.ts";
import { router } from "./router.svelte.ts";

const WITHOUT_WALL: ReadonlySet<Page> = new Set(["admin", "connect", "missing"]);

export type Theme = "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** How a person wants the pages: the theme and the wall. */
class Settings {
  private chosen = $state<string | null>(new URLSearchParams(location.search).get("theme") ?? remembered("theme"));
  private system = $state<Theme>(dark.matches ? "dark" : "light");
  readonly theme: Theme = $derived(this.chosen === "dark" || this.chosen === "light" ? this.chosen : this.system);
  private large = $state(router.parameters.has("wall"));
  /** Whether the page that is shown has a wall: what is set up there is pressed and typed, and needs to scroll. */
  readonly walled: boolean = $derived(!WITHOUT_WALL.has(router.at.page));
  readonly wall: boolean = $derived(this.large && this.walled);
  help = $state(false);

  constructor() {
    dark.addEventListener("change", () => (this.system = dark.matches ? "dark" : "light"));
  }

  toggleTheme(): void {
    this.chosen = this.theme === "dark" ? "light" : "dark";
    remember("theme", this.chosen);
  }

  toggleWall(): void {
    if (!this.walled) return;
    this.large = !this.large;
    router.set({ wall: this.large ? "" : null });
  }
}

export const settings = new Settings();
