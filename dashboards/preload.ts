import type { Plugin } from "vite";
import { FIRST } from "./src/lib/api/first.ts";
import { type Code, preferred } from "./src/lib/i18n/preferred.ts";
import { remembered } from "./src/lib/view/remembered.ts";
import { COMPONENTS } from "./src/lib/view/route.ts";

interface Chunk {
  isEntry?: boolean;
  fileName: string;
  facadeModuleId?: string | null;
  imports?: string[];
  viteMetadata?: { importedCss: Set<string> };
}

/** A page is fetched together with what every page needs and its language, and its first questions are asked meanwhile: not one after the other. */
export function preload(): Plugin {
  return {
    name: "preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle }) => {
        const chunks = Object.values(bundle ?? {}) as Chunk[];
        const first = closure(chunks.find((chunk) => chunk.isEntry), chunks);
        const rest = (source: string): string[] => [...closure(chunkOf(source, chunks), chunks)].filter((file) => !first.has(file));
        const pages = Object.fromEntries(Object.entries(COMPONENTS).map(([page, name]) => [page, rest(`pages/${name}.svelte`)]));
        const languages = { en: rest("i18n/en.ts"), zh: rest("i18n/zh.ts") };
        return html.replace("<title>", () => `<script>${script(pages, languages)}</script>\n    <title>`);
      },
    },
  };
}

function chunkOf(source: string, chunks: readonly Chunk[]): Chunk | undefined {
  return chunks.find((chunk) => chunk.facadeModuleId?.endsWith(`/${source}`));
}

/** A chunk with all that it imports, and their styles. */
function closure(chunk: Chunk | undefined, chunks: readonly Chunk[], files = new Set<string>()): Set<string> {
  if (!chunk || files.has(`/${chunk.fileName}`)) return files;
  files.add(`/${chunk.fileName}`);
  for (const file of chunk.viteMetadata?.importedCss ?? []) files.add(`/${file}`);
  for (const file of chunk.imports ?? []) closure(chunks.find((one) => one.fileName === file), chunks, files);
  return files;
}

/** Runs in the browser before all else. */
function script(pages: Record<string, string[]>, languages: Record<Code, string[]>): string {
  return `(() => {
  const pages = ${JSON.stringify(pages)};
  const languages = ${JSON.stringify(languages)};
  ${remembered}
  ${preferred}
  for (const file of [...languages[preferred()], ...(pages[location.pathname.split("/")[1]] ?? [])]) {
    const style = file.endsWith(".css");
    document.head.append(Object.assign(document.createElement("link"), { rel: style ? "preload" : "modulepreload", as: style ? "style" : "", crossOrigin: "", href: file }));
  }
  window.asked = Object.fromEntries(${JSON.stringify(FIRST)}.map((address) => [address, fetch(address)]));
  for (const one of Object.values(window.asked)) one.catch(() => undefined);
})();`;
}
