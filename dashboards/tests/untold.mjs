// Reads a JSON list of English sentences of the server on standard input; answers those that have no Chinese.
import { readFileSync } from "node:fs";
import { inChinese } from "../src/lib/i18n/zh/sentences.ts";
import { words } from "../src/lib/i18n/zh/words.ts";

const known = (text) => words[text] ?? words[text.toUpperCase()] ?? inChinese(text);
// Names and units stay as they are; any other English word of four letters is one that was forgotten.
const NAMES = /edge-1|potline|\bmin\b|Brier/g;
const complete = (text) => text !== null && /\p{Script=Han}/u.test(text) && !/[A-Za-z]{4}/.test(text.replaceAll(NAMES, ""));
const lacking = JSON.parse(readFileSync(0, "utf8")).filter((text) => text && !complete(known(text)));
console.log(JSON.stringify(lacking));
