// Official Node.js clients of MCP: npm `@modelcontextprotocol/client` (the second version of the SDK) and `@modelcontextprotocol/sdk` (the
// first), told line by line on the standard input what to do.
//
// Arguments: folder with `node_modules`, package, address, token, mode (`auto` or `legacy`), and what it can do besides: `elicitation`.
// The first version of the SDK is older than elicitation without sessions. Each line in is `{"call": tool, "arguments": {...}}`, or `{"reply": text}` after a line out `{"asked": question}`.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, name, address, token, mode, ...can] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const isFirst = name === "@modelcontextprotocol/sdk";
const { Client } = require(isFirst ? `${name}/client/index.js` : name);
const { StreamableHTTPClientTransport } = require(isFirst ? `${name}/client/streamableHttp.js` : name);

const say = (line) => console.log(JSON.stringify(line));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};

const options = { capabilities: can.includes("elicitation") ? { elicitation: { form: {} } } : {} };
if (!isFirst) options.versionNegotiation = { mode };
const client = new Client({ name: "test", version: "1" }, options);
if (can.includes("elicitation")) {
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    say({ asked: params.message });
    const { reply } = await told();
    if (reply === undefined) return { action: "decline" };
    return { action: "accept", content: { [Object.keys(params.requestedSchema.properties)[0]]: reply } };
  });
}
const headers = { authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit: { headers } }));
const { tools } = await client.listTools();
say({ version: client.getNegotiatedProtocolVersion?.() ?? client.transport.protocolVersion, tools: tools.map((tool) => tool.name) });
for (let line = await told(); line; line = await told()) {
  const result = await client.callTool({ name: line.call, arguments: line.arguments });
  say({ result: result.structuredContent, error: result.isError === true });
}
await client.close();
