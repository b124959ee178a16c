// What every JavaScript recording has in common: the question, the tool, and where its spans go.
//
// Spans are kept in memory and written by `finish()` as compressed OTLP protobuf, through the
// exporter's own serializer, without stack traces, process attributes and paths of the machine.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

// Packages are those of the working folder, wherever this file is.
const found = createRequire(`${process.cwd()}/package.json`);
export const load = async (name) => {
  try {
    return await import(import.meta.resolve(name, pathToFileURL(`${process.cwd()}/package.json`)));
  } catch {
    return import(pathToFileURL(found.resolve(name)));
  }
};

export const MODEL = `http://127.0.0.1:${process.env.MODEL_PORT ?? "18931"}`;
Object.assign(process.env, {
  OPENAI_API_KEY: "none",
  OPENAI_BASE_URL: `${MODEL}/v1`,
  ANTHROPIC_API_KEY: "none",
  ANTHROPIC_BASE_URL: MODEL,
});
export const BAD = process.argv.includes("bad");
export const STREAM = process.argv.includes("stream");
export const QUESTION = `What is the weather in ${BAD ? "Atlantis" : "Oslo and in Rome"}?`;
export const SYSTEM = "You are a kind weather assistant.";
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};
export const TOOL = {
  type: "function",
  function: { name: "get_weather", description: "Weather of a city", parameters: SCHEMA },
};
export const weather = (city) => {
  if (city === "Atlantis") throw new Error("no such city");
  return { Oslo: "3 degrees", Rome: "20 degrees" }[city] ?? "unknown";
};

const spans = [];
export const exporter = {
  export: (more, done) => (spans.push(...more), done({ code: 0 })),
  shutdown: async () => {},
  forceFlush: async () => {},
};

/** A provider of tracers, registered for the process, that records. */
export async function start(processors = []) {
  const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
  const { SimpleSpanProcessor } = await load("@opentelemetry/sdk-trace-base");
  const { resourceFromAttributes } = await load("@opentelemetry/resources");
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    spanProcessors: [...processors, new SimpleSpanProcessor(exporter)],
  });
  provider.register();
  return provider;
}

const bodies = [];
/** The address of a collector, for exporters that can't be handed a function. */
export function listen() {
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    if (request.url.endsWith("/v1/traces")) {
      bodies.push(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body);
    }
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  return new Promise((done) =>
    server.listen(0, "127.0.0.1", () =>
      done(`http://127.0.0.1:${server.address().port}/v1/traces`),
    ),
  );
}

const here = dirname(fileURLToPath(import.meta.url));
const cleaned = (text) =>
  text
    .replaceAll(here, "app")
    .replaceAll(process.cwd(), "app")
    .replaceAll(homedir(), "home")
    .replaceAll(MODEL.slice("http://".length), "llm.example")
    .replaceAll(/(file:\/\/)?\/[\w./@-]*\/node_modules\//g, "");

function clean(attributes) {
  for (const key of Object.keys(attributes ?? {})) {
    if (key === "exception.stacktrace") delete attributes[key];
    else if (typeof attributes[key] === "string") attributes[key] = cleaned(attributes[key]);
  }
}

/** Writes what was recorded into `NAME[_stream][_bad].pb.gz` of the working folder. */
export async function finish(name, provider) {
  await provider?.forceFlush?.();
  const { ProtobufTraceSerializer } = await load("@opentelemetry/otlp-transformer");
  for (const span of spans) {
    if (!span.instrumentationScope) {
      // Version 1 of the OpenTelemetry SDK has other names for two things.
      span.instrumentationScope = span.instrumentationLibrary;
      span.parentSpanContext = span.parentSpanId ? { spanId: span.parentSpanId } : undefined;
    }
    clean(span.attributes);
    if (span.status.message) span.status.message = cleaned(span.status.message);
    for (const event of span.events) clean(event.attributes);
    for (const key of Object.keys(span.resource?.attributes ?? {})) {
      if (/^(process|host|os)\./.test(key)) delete span.resource.attributes[key];
    }
  }
  const file = `${name}${STREAM ? "_stream" : ""}${BAD ? "_bad" : ""}.pb.gz`;
  // Requests one after the other are one request: protobuf joins repeated fields.
  const request = Buffer.concat([ProtobufTraceSerializer.serializeRequest(spans), ...bodies]);
  writeFileSync(file, gzipSync(request, { level: 9 }));
  console.log(file, spans.length, "spans", bodies.length, "bodies");
}
