import { adminEn } from "./texts/admin.ts";
import { alarmsEn } from "./texts/alarms.ts";
import { assetEn } from "./texts/asset.ts";
import { connectEn } from "./texts/connect.ts";
import { connectionsEn } from "./texts/connections.ts";
import { frameEn } from "./texts/frame.ts";
import { lineEn } from "./texts/line.ts";
import { maintenanceEn } from "./texts/maintenance.ts";
import { modelsEn } from "./texts/models.ts";
import { overviewEn } from "./texts/overview.ts";
import { productionEn } from "./texts/production.ts";
import { qualityEn } from "./texts/quality.ts";
import { reportsEn } from "./texts/reports.ts";
import { trendEn } from "./texts/trend.ts";
import { whyEn } from "./texts/why.ts";

/** Every text of the pages, one file for each page in texts/. A key that another language lacks fails the type check and the build. */
export const en = {
  ...adminEn,
  ...alarmsEn,
  ...assetEn,
  ...connectEn,
  ...connectionsEn,
  ...frameEn,
  ...lineEn,
  ...maintenanceEn,
  ...modelsEn,
  ...overviewEn,
  ...productionEn,
  ...qualityEn,
  ...reportsEn,
  ...trendEn,
  ...whyEn,
} as const;

export type Key = keyof typeof en;
