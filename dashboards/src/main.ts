import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import "./controls.css";
import { person } from "./lib/admin/me.svelte.ts";
import { i18n } from "./lib/i18n/i18n.svelte.ts";
import { preferred } from "./lib/i18n/preferred.ts";
import { live } from "./lib/live/live.svelte.ts";
import { plant } from "./lib/plant.svelte.ts";
import { whyMissing } from "./lib/view/anew.ts";
import { askEarly } from "./lib/view/early.ts";
import { listenToKeys } from "./lib/view/keyboard.ts";
import { router } from "./lib/view/router.svelte.ts";

const AGAIN_MS = 10_000;
const target = document.getElementById("app");
if (!target) throw new Error("index.html has no element with the id app");
router.start();
listenToKeys();
askEarly();
void person.load();
person.watch();
plant.start();
live.start();
void begin(target);

/** Once the texts are here. Until then nothing can be said in the reader's language, so it is said in both. */
async function begin(target: HTMLElement): Promise<void> {
  try {
    await i18n.show(preferred());
  } catch {
    const said = document.createElement("p");
    said.role = "alert";
    said.style.padding = "2rem";
    said.textContent = `${await whyMissing()} 本页面的语言没有加载：请检查网络和服务器；页面会自动重试。`;
    target.replaceChildren(said);
    setTimeout(begin, AGAIN_MS, target);
    return;
  }
  target.replaceChildren();
  mount(App, { target });
}
