/** Lets Node run the TypeScript of the pages as it stands: types are removed, nothing else. */
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
