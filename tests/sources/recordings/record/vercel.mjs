// The Vercel AI SDK: `node vercel.mjs [bad] [stream]`, beside `model.py 18931`. Writes OTLP/JSON.
import { writeFileSync } from "node:fs";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const bad = process.argv.includes("bad");
const stream = process.argv.includes("stream");
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const model = createOpenAICompatible({
  name: "openai",
  baseURL: "http://127.0.0.1:18931/v1",
  apiKey: "none",
})("gpt-4o-mini");

const settings = {
  model,
  system: "You are a kind weather assistant.",
  prompt: `What is the weather in ${bad ? "Atlantis" : "Oslo and in Rome"}?`,
  stopWhen: stepCountIs(5),
  tools: {
    get_weather: tool({
      description: "Weather of a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        if (city === "Atlantis") throw new Error("no such city");
        return { Oslo: "3 degrees", Rome: "20 degrees" }[city];
      },
    }),
  },
  experimental_telemetry: {
    isEnabled: true,
    functionId: "weatherman",
    metadata: { userId: "u-1", sessionId: "s-1" },
    tracer: provider.getTracer("ai"),
  },
};
if (stream) for await (const _ of streamText(settings).textStream);
else await generateText(settings);

const nanos = ([seconds, rest]) => String(BigInt(seconds) * 1000000000n + BigInt(rest));
const value = (v) => {
  if (Array.isArray(v)) return { arrayValue: { values: v.map(value) } };
  if (typeof v === "boolean") return { boolValue: v };
  if (typeof v !== "number") return { stringValue: String(v) };
  return Number.isInteger(v) ? { intValue: v } : { doubleValue: v };
};
const pairs = (found) => Object.entries(found).map(([key, v]) => ({ key, value: value(v) }));
const spans = exporter.getFinishedSpans().map((span) => ({
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentSpanId: span.parentSpanContext?.spanId ?? "",
  name: span.name,
  startTimeUnixNano: nanos(span.startTime),
  endTimeUnixNano: nanos(span.endTime),
  attributes: pairs(span.attributes),
  events: span.events.map((event) => ({
    name: event.name,
    timeUnixNano: nanos(event.time),
    attributes: pairs(event.attributes ?? {}),
  })),
  status: { code: span.status.code, message: span.status.message },
}));
const scopeSpans = [{ scope: { name: "ai" }, spans }];
const resource = { attributes: pairs({ "service.name": "shop" }) };
writeFileSync(
  `vercel${stream ? "_stream" : ""}${bad ? "_bad" : ""}.json`,
  JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
);
