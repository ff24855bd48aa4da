import type { Key } from "./en.ts";
import type { Language } from "./language.ts";
import { admin } from "./zh/admin.ts";
import { alarms } from "./zh/alarms.ts";
import { asset } from "./zh/asset.ts";
import { connect } from "./zh/connect.ts";
import { connections } from "./zh/connections.ts";
import { frame } from "./zh/frame.ts";
import { line } from "./zh/line.ts";
import { maintenance } from "./zh/maintenance.ts";
import { models } from "./zh/models.ts";
import { overview } from "./zh/overview.ts";
import { production } from "./zh/production.ts";
import { quality } from "./zh/quality.ts";
import { reports } from "./zh/reports.ts";
import { trend } from "./zh/trend.ts";
import { why } from "./zh/why.ts";
import { inChinese, named } from "./zh/sentences.ts";
import { words } from "./zh/words.ts";
import { written } from "./written.ts";

const texts: Readonly<Record<Key, string>> = {
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
};

export const zh: Language = { texts, words, said: (sentence) => inChinese(sentence) ?? written(sentence), named };
