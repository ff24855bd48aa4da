/** What the API answers, by noun. Times are Unix milliseconds. */
export type * from "./types/alarms.ts";
export type * from "./types/health.ts";
export type * from "./types/ledger.ts";
export type * from "./types/models.ts";
export type * from "./types/predictions.ts";
export type * from "./types/scores.ts";
export type * from "./types/tags.ts";
export type * from "./types/values.ts";
