/** A name as it is compared: CNC_01 and cnc-01 are one. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_/#+.-]+/g, "-");
}

/** A name for the connection to a URL. */
export function proposedName(url: string): string {
  const host = /^[a-z.]+:\/\/\[?([^\]/:]+)/.exec(url)?.[1] ?? "";
  return host.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "") || "device";
}

/** Host and port of a URL. */
export const address = (url: string): string => url.replace(/^[a-z.]+:\/\//, "").replace(/\/.*$/, "");

/** The asset that all tags share, or none. */
export function common(tags: string[]): string {
  const assets = new Set(tags.map((tag) => tag.split("/").slice(0, 5).join("/")));
  return assets.size === 1 ? [...assets][0]! : "";
}
