// The steps of docs/embed-http.md, pasted into a shell, against a bridge. It needs no browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { text } from "node:stream/consumers";

test("the steps of the page about HTTP work when they are pasted", { timeout: 120_000 }, async (t) => {
  const page = await readFile(process.env.HTTP_PAGE, "utf8");
  const blocks = Object.fromEntries([...page.matchAll(/<!-- pasted: (\w+) -->\n```sh\n(.*?)```/gs)].map(([, name, block]) => [name, block]));
  const stage = spawn(process.env.ENVIRONMENT, ["serve"], { stdio: ["pipe", "pipe", "inherit"] });
  const folder = await mkdtemp(join(tmpdir(), "http-"));
  t.after(async () => {
    stage.stdin.end();
    await rm(folder, { recursive: true });
  });
  const [line] = await once(createInterface(stage.stdout), "line");
  const { bridge, freshworks, token, settings } = JSON.parse(line);
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings));

  // One shell keeps the variables; each step ends with a line that tells it from the next. Events come when the bridge is done with the webhook.
  const variables = `BRIDGE=${bridge}\nFRESHWORKS=${freshworks}\nTOKEN=${token}\n`;
  const script = ["connect", "handoff", "answer", "events", "relay", "close"].map((name) => {
    const step = name === "events" ? `until ${blocks[name].trim()} | tee events.json | grep -q agent-message; do sleep 0.1; done\ncat events.json` : blocks[name];
    return `${step}\necho; echo "== ${name}"\n`;
  });
  const shell = spawn("sh", ["-e", "-c", variables + script.join("")], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(shell.stdout), once(shell, "exit")]);
  assert.equal(code, 0, printed);
  assert.match(await readFile(join(folder, "connection.json"), "utf8"), /"connected":true/);
  assert.match(await readFile(join(folder, "handoff.json"), "utf8"), /"state":"queued"/);
  assert.match(printed, /Hello Ana, I am looking into it\.[^]*== events/);
  assert.match(printed, /"state":"returned"[^]*== close/);
});
