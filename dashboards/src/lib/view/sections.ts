import type { Right } from "../admin/types.ts";
import type { Key } from "../i18n/en.ts";

/** A page of the top bar: watched together (0), understood together (1) or set up together (2). */
export interface Section {
  href: string;
  text: Key;
  /** The letter after `g`. */
  key: string;
  group: 0 | 1 | 2;
  /** Another start of an address that belongs to it. */
  also?: string;
  /** Shown to those who have this right only. */
  right?: Right;
}

/** The bar, the keys and the list of keys are drawn of this: one line makes a page reachable everywhere. */
export const sections: readonly Section[] = [
  { href: "/", text: "nav.overview", key: "o", group: 0 },
  { href: "/alarms", text: "nav.alarms", key: "a", group: 0 },
  { href: "/production", text: "nav.production", key: "p", group: 1 },
  { href: "/production/energy", text: "nav.energy", key: "e", group: 1 },
  { href: "/quality", text: "nav.quality", key: "q", group: 1 },
  { href: "/maintenance", text: "nav.maintenance", key: "t", group: 1 },
  { href: "/reports", text: "nav.reports", key: "r", group: 1 },
  { href: "/connections", text: "nav.connections", key: "c", group: 2, also: "/connect/" },
  { href: "/models", text: "nav.models", key: "m", group: 2 },
  { href: "/admin", text: "nav.admin", key: "d", group: 2, right: "accounts" },
];

/** The section an address belongs to: of two that fit, the one that says more. */
export function sectionOf(path: string): Section | undefined {
  const within = ({ href, also }: Section): boolean => path === href || (href !== "/" && path.startsWith(`${href}/`)) || (also !== undefined && path.startsWith(also));
  return sections.filter(within).sort((one, other) => other.href.length - one.href.length)[0];
}
