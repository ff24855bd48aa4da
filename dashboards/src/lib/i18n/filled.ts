export type Values = Record<string, string | number | null | undefined>;

/** `{n}` is the value of n, `{n:tag|tags}` the first word when that is 1 and the second otherwise. */
export function filled(template: string, values: Values): string {
  return template.replace(/\{([\w.]+)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) =>
    one === undefined ? String(values[name] ?? whole) : String(values[name]) === "1" ? one : many!,
  );
}
