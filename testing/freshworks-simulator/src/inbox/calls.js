import { at } from "./dom.js";
import { texts } from "./texts.js";

let drawn = "";
let draw = () => {};

/** What is drawn now: the answer of /simulator/state. */
export let state = null;

function complain(text) {
  at("trouble").textContent = text;
}

/** Asks for the state once, and draws it where it is new. */
export async function refresh() {
  let text;
  try {
    text = await (await fetch("/simulator/state")).text();
  } catch {
    complain(texts.noAnswer);
    return;
  }
  if (at("trouble").textContent === texts.noAnswer) complain("");
  if (text === drawn) return;
  drawn = text;
  state = JSON.parse(text);
  draw();
}

/** Draws with this function, now and once a second where something changed. */
export async function follow(drawState) {
  draw = drawState;
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** One act. Answers whether it was done, and says why where it was not. */
export async function call(method, path, body) {
  complain("");
  // A form's own content type names the boundary, which only the browser knows.
  const form = body instanceof FormData;
  const headers = form || body === undefined ? {} : { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch("/simulator/" + path, { method, headers, body: form ? body : JSON.stringify(body) });
  } catch {
    complain(texts.noAnswer);
    return false;
  }
  if (!answer.ok) {
    const reason = await answer.json().catch(() => ({}));
    complain(reason.message || texts.error(answer.status));
  }
  await refresh();
  return answer.ok;
}

/** The agent who acts. */
export const agent = () => at("agent").value;
