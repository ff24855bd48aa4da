export const MISSING = "–";
const THIN = "\u202f";

/** A value with the decimals of its tag; a missing one is a dash, never a zero. */
export function fixed(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const text = value.toFixed(Math.max(0, decimals));
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A number that somebody wrote into the plant file: with the digits it has there, no more. */
export function exact(value: number): string {
  return String(Number(value.toFixed(6))).replace("-", "−");
}

/** A difference: its sign is always there. */
export const signed = (value: number, decimals: number): string => (Number(value.toFixed(decimals)) > 0 ? `+${fixed(value, decimals)}` : fixed(value, decimals));

/** Decimals that fit a number of this size in a narrow place: 3 significant digits. */
export function fitting(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const whole = Math.abs(value) < 1 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
  return fixed(value, Math.min(decimals, Math.max(0, 4 - whole)));
}

/** 12 345 678: digits in groups of three with a thin space, as ISO 80000 writes them. */
export function grouped(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return fixed(value, 0).replace(/\B(?=(\d{3})+$)/g, THIN);
}

const SCALES: [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** 20.4 M: for counts where the digits do not matter. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const [size, letter] = SCALES.find(([s]) => Math.abs(value) >= s * 10) ?? [1, ""];
  const scaled = value / size;
  return `${fixed(scaled, size > 1 && scaled < 100 ? 1 : 0)}${letter ? THIN + letter : ""}`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  if (value >= 1e9) return `${fixed(value / 1e9, 2)} GB`;
  if (value >= 1e6) return `${fixed(value / 1e6, 0)} MB`;
  return `${fixed(value / 1e3, 0)} kB`;
}

/** A probability in percent without its sign: a tenth where it is small, and never 0 for what is only unlikely. */
export function probability(value: number): string {
  const hundred = value * 100;
  if (hundred < 0.1) return "< 0.1";
  if (hundred > 99.9) return "> 99.9";
  return fixed(hundred, hundred < 9.95 || hundred > 99 ? 1 : 0);
}

export function percent(share: number | null | undefined, decimals = 0): string {
  return share === null || share === undefined ? MISSING : `${fixed(share * 100, decimals)} %`;
}
