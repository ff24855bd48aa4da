import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import "./controls.css";
import { person } from "./lib/admin/me.svelte.ts";
import { live } from "./lib/live/live.svelte.ts";
import { plant } from "./lib/plant.svelte.ts";
import { listenToKeys } from "./lib/view/keyboard.ts";
import { router } from "./lib/view/router.svelte.ts";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no element with the id app");
router.start();
listenToKeys();
void person.load();
person.watch();
plant.start();
live.start();
mount(App, { target });
