const QUARTER_MS = 900_000;
const REMEMBERED = 4096;

let plant: Intl.DateTimeFormat | null = null;
let name = "";
const offsets = new Map<number, number>();

/** From now on days and hours are those of the clocks of a time zone (IANA), wherever the browser is. */
export function setZone(timeZone: string): void {
  if (timeZone === name) return;
  plant = new Intl.DateTimeFormat("en-US-u-hc-h23", { timeZone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  name = timeZone;
  offsets.clear();
}

/** The zone and how far it is from UTC, where its clocks differ from those of the browser. */
export function foreignZone(now: number): { name: string; utc: string } | null {
  const minutes = offset(now) / 60_000;
  if (minutes === -new Date(now).getTimezoneOffset()) return null;
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return { name, utc: `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}` };
}

/** A moment as the plant's clocks show it: ask the date that is returned for its UTC fields. */
export function shown(ms: number): Date {
  return new Date(ms + offset(ms));
}

/** The moment at which the plant's clocks show this; fields may overflow, as in `Date.UTC`. What they never show moves on by the gap. */
export function instant(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const wall = Date.UTC(year, month, day, hour, minute, second);
  const near = wall - offset(wall);
  const found = wall - offset(near);
  return found + offset(found) === wall ? found : Math.max(near, found);
}

/** The moment that somebody typed into a field of day and time; NaN when none. */
export function typed(text: string): number {
  const fields = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)(?::(\d+))?/.exec(text);
  if (!fields) return Number.NaN;
  const [year, month, day, hour, minute, second] = fields.slice(1).map((one) => Number(one ?? 0)) as [number, number, number, number, number, number];
  return instant(year, month - 1, day, hour, minute, second);
}

/** How far the clocks are before UTC in ms. No zone changes its clocks but on a quarter of an hour. */
function offset(ms: number): number {
  const quarter = Math.floor(ms / QUARTER_MS);
  let found = offsets.get(quarter);
  if (found === undefined) {
    found = reckoned(quarter * QUARTER_MS);
    if (offsets.size >= REMEMBERED) offsets.clear();
    offsets.set(quarter, found);
  }
  return found;
}

function reckoned(ms: number): number {
  if (!plant) return -new Date(ms).getTimezoneOffset() * 60_000;
  const part = Object.fromEntries(plant.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part["year"]!, part["month"]! - 1, part["day"], part["hour"], part["minute"], part["second"]) - ms;
}
