import type { Topic } from "./frames.ts";

/** ASCII units of the wire as people write them. */
const UNITS: Readonly<Record<string, string>> = { um: "µm", uOhm: "µΩ", Ohm: "Ω", degC: "°C" };

/** The same thing with its unit as people write it. */
export function inUnits<T extends { unit: string }>(item: T): T {
  return { ...item, unit: UNITS[item.unit] ?? item.unit };
}

/** Items after a frame: replaced in their place by key, new ones in front, and without those that are gone. */
export function changed<T extends { unit: string }>(old: readonly T[], frame: Topic, key: (item: T) => string[]): T[] {
  const fresh = (frame.items as T[]).map(inUnits);
  if (frame.whole) return fresh;
  const name = (parts: readonly string[]): string => parts.join("\n");
  const newer = new Map(fresh.map((item) => [name(key(item)), item]));
  const gone = new Set(frame.gone.map(name));
  const kept: T[] = [];
  for (const item of old) {
    const id = name(key(item));
    if (!gone.has(id)) kept.push(newer.get(id) ?? item);
    newer.delete(id);
  }
  return [...newer.values(), ...kept];
}
