// What the official TypeScript client sees of a server: `node mcp_client.mjs URL` or
// `node mcp_client.mjs COMMAND ARGS...`, with the calls to make as JSON on standard input.
import { text } from "node:stream/consumers";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [command, ...args] = process.argv.slice(2);
const calls = JSON.parse(await text(process.stdin));
const client = new Client({ name: "test", version: "1.0.0" });
const transport = command.startsWith("http:")
  ? new StreamableHTTPClientTransport(new URL(command))
  : new StdioClientTransport({ command, args, env: process.env });
await client.connect(transport);
const { tools } = await client.listTools();
const results = [];
for (const [name, given] of calls) results.push(await client.callTool({ name, arguments: given }));
await client.ping();
const server = client.getServerVersion();
await client.close();
console.log(JSON.stringify({ tools, results, server }));
