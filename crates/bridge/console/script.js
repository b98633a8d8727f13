// The scripted AI agent: it knows a few words, and when it is stuck.

import { t } from "./texts.js";

/** What it says first. */
export const hello = t.script.hello;

/** What it answers. */
export function answer(text) {
  const words = text.toLowerCase();
  const found = Object.entries(t.script.words).find(([, keys]) => keys.some((key) => words.includes(key)));
  return t.script[found ? found[0] : "unknown"];
}
