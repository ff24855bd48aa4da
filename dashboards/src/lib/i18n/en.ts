import { admin } from "./en/admin.ts";
import { alarms } from "./en/alarms.ts";
import { asset } from "./en/asset.ts";
import { connect } from "./en/connect.ts";
import { connections } from "./en/connections.ts";
import { frame } from "./en/frame.ts";
import { line } from "./en/line.ts";
import { maintenance } from "./en/maintenance.ts";
import { models } from "./en/models.ts";
import { overview } from "./en/overview.ts";
import { production } from "./en/production.ts";
import { quality } from "./en/quality.ts";
import { reports } from "./en/reports.ts";
import { trend } from "./en/trend.ts";
import { why } from "./en/why.ts";
import type { Language } from "./language.ts";
import { words } from "./words.ts";
import { written } from "./written.ts";

/** Every text of the pages, one file for each page in en/. A key that another language lacks fails the type check and the build. */
const texts = {
  ...admin,
  ...alarms,
  ...asset,
  ...connect,
  ...connections,
  ...frame,
  ...line,
  ...maintenance,
  ...models,
  ...overview,
  ...production,
  ...quality,
  ...reports,
  ...trend,
  ...why,
} as const;

export type Key = keyof typeof texts;

export const en: Language = { texts, words, said: written, named: (title) => title };
