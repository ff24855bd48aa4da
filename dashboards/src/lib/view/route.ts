export type Page = "overview" | "line" | "asset" | "tag" | "alarms" | "connections" | "connect" | "models" | "quality" | "production" | "maintenance" | "reports" | "admin" | "missing";

export interface Route {
  page: Page;
  /** What follows the page's name: an asset path, tag paths or area/line. */
  rest: string;
}

const PLAIN: Record<string, Page> = { "/": "overview", "/alarms": "alarms", "/connections": "connections", "/models": "models", "/admin": "admin", "/quality": "quality", "/production": "production", "/maintenance": "maintenance", "/reports": "reports" };
const DEEP: [string, Page, number][] = [
  ["/line/", "line", 2],
  ["/asset/", "asset", 5],
  ["/tag/", "tag", 6],
  ["/connect/", "connect", 1],
  ["/quality/", "quality", 6],
  ["/production/", "production", 1],
  ["/maintenance/", "maintenance", 1],
];

/** The component of each page that is fetched when it is asked for; an address begins with the name of its page. */
export const COMPONENTS: Record<Exclude<Page, "overview">, string> = {
  line: "Line",
  asset: "Asset",
  tag: "TagTrend",
  alarms: "Alarms",
  connections: "Connections",
  connect: "Connect",
  models: "Models",
  quality: "Quality",
  production: "Production",
  maintenance: "Maintenance",
  reports: "Reports",
  admin: "Admin",
  missing: "Missing",
};

/** Which page an address means. */
export function route(path: string): Route {
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  const plain = PLAIN[clean];
  if (plain) return { page: plain, rest: "" };
  for (const [start, page, parts] of DEEP) {
    if (!clean.startsWith(start)) continue;
    const rest = decodeURIComponent(clean.slice(start.length));
    if (rest.split("/").length >= parts) return { page, rest };
  }
  return { page: "missing", rest: clean };
}

const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export const lineHref = (area: string, line: string): string => `/line/${encoded(`${area}/${line}`)}`;
export const assetHref = (path: string): string => `/asset/${encoded(path)}`;
export const connectHref = (gateway: string, source = "", show = ""): string => `/connect/${encoded(source ? `${gateway}/${source}` : gateway)}${show ? `?show=${show}` : ""}`;
export const chartHref = (name: string, asset: string): string => `/quality/${encoded(`${name}/${asset}`)}`;
export const tagHref = (path: string): string => `/tag/${encoded(path)}`;
/** The path of the asset that a tag belongs to. */
export const assetOf = (tag: string): string => tag.slice(0, tag.lastIndexOf("/"));
