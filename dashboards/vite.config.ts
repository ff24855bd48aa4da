import { svelte } from "@sveltejs/vite-plugin-svelte";
import { type Plugin, defineConfig } from "vite";
import { en } from "./src/lib/i18n/en.ts";
import { zh } from "./src/lib/i18n/zh.ts";

const api = process.env["SHOPFLOOR_API"] ?? "http://127.0.0.1:8000";

/** A build with a text that one language lacks is no build. */
function languages(): Plugin {
  return {
    name: "languages",
    buildStart() {
      const lacking = [...Object.keys(en).filter((key) => !(key in zh)), ...Object.keys(zh).filter((key) => !(key in en))];
      if (lacking.length) this.error(`en.ts and zh.ts differ in: ${lacking.join(", ")}`);
    },
  };
}

export default defineConfig({
  plugins: [languages(), svelte()],
  build: { outDir: "shopfloor/dashboards/static", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  server: { proxy: { "/api": { target: api, ws: true } } },
});
