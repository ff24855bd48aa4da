import { svelte } from "@sveltejs/vite-plugin-svelte";
import { type Plugin, defineConfig } from "vite";
import { preload } from "./preload.ts";
import { en } from "./src/lib/i18n/en.ts";
import { zh } from "./src/lib/i18n/zh.ts";

const api = process.env["SHOPFLOOR_API"] ?? "http://127.0.0.1:8000";

/** Few files: what all pages need is one, what draws trends another, each language a third. A page waits for four files, not for eleven. */
const FILES = [
  { name: "core", test: /node_modules\/(svelte|esm-env|clsx|@msgpack)|src\/lib\/(api|format|live)\/|src\/lib\/i18n\/(?!en|zh)|src\/lib\/plant|src\/lib\/view\/(?!axes|chart|gestures|marks)/, priority: 2 },
  { name: "trend", test: /node_modules\/uplot|src\/(lib\/trend|parts\/trend|parts\/Trend|parts\/RangePicker)/, priority: 1 },
];

/** A build with a text or a word that one language lacks is no build. */
function languages(): Plugin {
  return {
    name: "languages",
    buildStart() {
      for (const what of ["texts", "words"] as const) {
        const lacking = [...lacks(en[what], zh[what]), ...lacks(zh[what], en[what])];
        if (lacking.length) this.error(`The ${what} of en.ts and zh.ts differ in: ${lacking.join(", ")}`);
      }
    },
  };
}

function lacks(one: object, other: object): string[] {
  return Object.keys(other).filter((key) => !(key in one));
}

export default defineConfig({
  plugins: [languages(), svelte(), preload()],
  build: {
    outDir: "shopfloor/dashboards/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    rolldownOptions: { output: { codeSplitting: { groups: FILES } } },
  },
  server: { proxy: { "/api": { target: api, ws: true } } },
});
