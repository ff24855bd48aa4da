import { adminZh } from "./texts/admin.ts";
import { alarmsZh } from "./texts/alarms.ts";
import { assetZh } from "./texts/asset.ts";
import { connectZh } from "./texts/connect.ts";
import { connectionsZh } from "./texts/connections.ts";
import { frameZh } from "./texts/frame.ts";
import { lineZh } from "./texts/line.ts";
import { maintenanceZh } from "./texts/maintenance.ts";
import { modelsZh } from "./texts/models.ts";
import { overviewZh } from "./texts/overview.ts";
import { productionZh } from "./texts/production.ts";
import { qualityZh } from "./texts/quality.ts";
import { reportsZh } from "./texts/reports.ts";
import { trendZh } from "./texts/trend.ts";
import { whyZh } from "./texts/why.ts";
import type { Key } from "./en.ts";

export const zh: Readonly<Record<Key, string>> = {
  ...adminZh,
  ...alarmsZh,
  ...assetZh,
  ...connectZh,
  ...connectionsZh,
  ...frameZh,
  ...lineZh,
  ...maintenanceZh,
  ...modelsZh,
  ...overviewZh,
  ...productionZh,
  ...qualityZh,
  ...reportsZh,
  ...trendZh,
  ...whyZh,
};
