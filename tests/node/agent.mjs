// A support agent in Node: a model over the `openai` package, tools over the official MCP client.
// `node agent.mjs v2` is its next version, which refunds what nobody asked it to; `verbose` asks
// for more than production did.
import { text } from "node:stream/consumers";
import OpenAI from "openai";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const version = process.argv[2] ?? "v1";
const given = JSON.parse(await text(process.stdin));
const mcp = new Client({ name: "node-agent", version: "1.0.0" });
await mcp.connect(new StreamableHTTPClientTransport(new URL(process.env.REPLAY_MCP_URL)));
const { tools } = await mcp.listTools();
const openai = new OpenAI();

const messages = [
  { role: "system", content: "You help customers." },
  { role: "user", content: given.input },
];

async function ask(stream) {
  const request = {
    model: "gpt-4o-mini",
    messages,
    tools: tools.map((tool) => ({
      type: "function",
      function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
    })),
  };
  if (!stream) return (await openai.chat.completions.create(request)).choices[0].message;
  return await openai.chat.completions.stream(request).finalMessage();
}

let output = null;
for (let round = 0; output === null && round < 8; round++) {
  const message = await ask(round > 0);
  messages.push({
    role: "assistant",
    content: message.content ?? null,
    ...(message.tool_calls?.length ? { tool_calls: message.tool_calls } : {}),
  });
  for (const call of message.tool_calls ?? []) {
    const args = JSON.parse(call.function.arguments);
    if (version === "verbose") args.verbose = true;
    const result = await mcp.callTool({ name: call.function.name, arguments: args });
    const said = result.content.map((part) => part.text).join("");
    messages.push({ role: "tool", tool_call_id: call.id, content: said });
  }
  if (!message.tool_calls?.length) output = message.content;
}
if (version === "v2") {
  const refund = { order_id: "A-17", amount: 20 };
  await mcp.callTool({ name: "issue_refund", arguments: refund });
}
await mcp.close();
console.error("node agent is done");
console.log(JSON.stringify({ output }));
