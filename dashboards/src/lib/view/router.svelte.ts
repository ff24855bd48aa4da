import { type Route, route } from "./route.ts";

/** The address in the bar, and the page it means. */
class Router {
  path = $state(location.pathname);
  private search = $state(location.search);
  readonly at: Route = $derived(route(this.path));
  readonly parameters = $derived(new URLSearchParams(this.search));

  start(): void {
    addEventListener("popstate", () => this.read());
    document.addEventListener("click", (event) => this.clicked(event));
  }

  go(href: string): void {
    if (href === location.pathname + location.search) return;
    history.pushState(null, "", href);
    this.read();
    scrollTo(0, 0);
  }

  /** Change parameters of this page without a new entry in the browser's history. */
  set(changes: Record<string, string | null>): void {
    const parameters = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) parameters.delete(key);
      else parameters.set(key, value);
    }
    const text = parameters.toString();
    history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
    this.read();
  }

  private read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  private clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (/^\/(docs|redoc|openapi|api)\b/.test(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
