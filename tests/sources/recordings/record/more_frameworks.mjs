// Frameworks for JavaScript that record themselves; `javascript.mjs` runs these.
import {
  exporter,
  listen,
  load,
  MODEL,
  QUESTION,
  STREAM,
  SYSTEM,
  TOOL,
  weather,
} from "./common.mjs";
import { openaiLoop, langchain, ask, inAgentSpan, DESCRIPTION, responsesLoop } from "./loops.mjs";

export const FRAMEWORKS = {
  async js_langfuse_openai() {
    await langfuse(async ({ startActiveObservation, propagateAttributes, observe }) => {
      const { default: OpenAI } = await load("openai");
      const { observeOpenAI } = await load("@langfuse/openai");
      const call = observe(async (city) => weather(city), { name: "get_weather", asType: "tool" });
      const agent = observe((question) => openaiLoop(observeOpenAI(new OpenAI()), call), {
        name: "weatherman",
        asType: "agent",
      });
      await propagateAttributes({ sessionId: "s-1", userId: "u-1" }, () => agent(QUESTION));
    });
  },
  async js_langfuse_responses() {
    await langfuse(async ({ propagateAttributes, observe }) => {
      const { default: OpenAI } = await load("openai");
      const { observeOpenAI } = await load("@langfuse/openai");
      const work = () => responsesLoop(observeOpenAI(new OpenAI()));
      const agent = observe(work, { name: "weatherman", asType: "agent" });
      await propagateAttributes({ sessionId: "s-1", userId: "u-1" }, () => agent(QUESTION));
    });
  },
  async js_langfuse_manual() {
    await langfuse(
      async ({
        startActiveObservation,
        propagateAttributes,
        updateActiveObservation,
        startObservation,
      }) => {
        const work = async (root) => {
          root.update({ input: { question: QUESTION } });
          const messages = [
            { role: "system", content: SYSTEM },
            { role: "user", content: QUESTION },
          ];
          for (let turn = 0; turn < 3; turn++) {
            const call = root.startObservation(
              "answer",
              { model: "gpt-4o-mini", input: { messages: [...messages], tools: [TOOL] } },
              { asType: "generation" },
            );
            const said = await fetch(`${MODEL}/v1/chat/completions`, {
              method: "POST",
              body: JSON.stringify({ messages, tools: [TOOL] }),
            });
            const { choices, usage } = await said.json();
            const { message } = choices[0];
            call
              .update({
                output: message,
                usageDetails: { input: usage.prompt_tokens, output: usage.completion_tokens },
              })
              .end();
            messages.push(message);
            if (!message.tool_calls) return void root.update({ output: message.content });
            for (const { id, function: asked } of message.tool_calls) {
              const given = JSON.parse(asked.arguments);
              const tool = root.startObservation(
                "get_weather",
                { input: given },
                { asType: "tool" },
              );
              let content;
              try {
                content = weather(given.city);
                tool.update({ output: content });
              } catch (error) {
                content = `Error: ${error.message}`;
                tool.update({ level: "ERROR", statusMessage: error.message });
              }
              tool.end();
              messages.push({ role: "tool", tool_call_id: id, content });
            }
          }
        };
        await propagateAttributes({ sessionId: "s-1", userId: "u-1" }, () =>
          startActiveObservation("weatherman", work, { asType: "agent" }),
        );
      },
    );
  },
  async js_langfuse_langchain() {
    await langfuse(async () => {
      const { CallbackHandler } = await load("@langfuse/langchain");
      const handler = new CallbackHandler({ sessionId: "s-1", userId: "u-1" });
      await ask((await langchain()).agent, { callbacks: [handler], metadata: {} });
    });
  },
  js_mastra_otel: () => mastra("@mastra/otel-exporter", "OtelExporter"),
  js_mastra_arize: () => mastra("@mastra/arize", "ArizeExporter"),
  js_mastra_0_otel: () => mastra("@mastra/otel-exporter", "OtelExporter"),
  js_mastra_0_arize: () => mastra("@mastra/arize", "ArizeExporter"),
  async js_genkit() {
    const { genkit, z } = await load("genkit");
    const { enableTelemetry, flushTracing } = await load("genkit/tracing");
    const { SimpleSpanProcessor } = await load("@opentelemetry/sdk-trace-base");
    await enableTelemetry({
      serviceName: "shop",
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const { openAI } = await load("@genkit-ai/compat-oai/openai");
    const ai = genkit({ plugins: [openAI({ apiKey: "none", baseURL: `${MODEL}/v1` })] });
    const getWeather = ai.defineTool(
      {
        name: "get_weather",
        description: DESCRIPTION,
        inputSchema: z.object({ city: z.string() }),
        outputSchema: z.string(),
      },
      async ({ city }) => weather(city),
    );
    const flow = ai.defineFlow(
      { name: "weatherman", inputSchema: z.string(), outputSchema: z.string() },
      async (question) => {
        const request = {
          model: openAI.model("gpt-4o-mini"),
          system: SYSTEM,
          prompt: question,
          tools: [getWeather],
        };
        if (!STREAM) return (await ai.generate(request)).text;
        const { stream, response } = ai.generateStream(request);
        for await (const _ of stream);
        return (await response).text;
      },
    );
    await flow(QUESTION).catch((error) => console.log("raised", error.message));
    await flushTracing();
  },
  js_vercel_4: vercel,
  async js_vercel_oi() {
    const { OpenInferenceSimpleSpanProcessor } = await load("@arizeai/openinference-vercel");
    await register(new OpenInferenceSimpleSpanProcessor({ exporter }));
    await vercel();
  },
  js_vercel_langfuse: () => langfuse(vercel),
  js_vercel_5: vercel,
  js_vercel_7: vercel,
  js_vercel_loop: () => vercel("loop"),
  js_vercel_object: () => vercel("object"),
  async js_llamaindex_ollm() {
    const llamaindex = await load("llamaindex");
    const { LlamaIndexInstrumentation } = await load("@traceloop/instrumentation-llamaindex");
    const { OpenAIInstrumentation } = await load("@traceloop/instrumentation-openai");
    const instrumentation = new LlamaIndexInstrumentation();
    instrumentation.manuallyInstrument(llamaindex);
    const { openai, OpenAI } = await load("@llamaindex/openai");
    const { agent } = await load("@llamaindex/workflow");
    const { tool } = llamaindex;
    const { z } = await load("zod");
    const getWeather = tool({
      name: "get_weather",
      description: DESCRIPTION,
      parameters: z.object({ city: z.string() }),
      execute: ({ city }) => weather(city),
    });
    const llm = openai({ model: "gpt-4o-mini", apiKey: "none", baseURL: `${MODEL}/v1` });
    const weatherman = agent({
      name: "weatherman",
      tools: [getWeather],
      llm,
      systemPrompt: SYSTEM,
    });
    await inAgentSpan(() => weatherman.run(QUESTION));
  },
};

async function langfuse(work) {
  const { LangfuseSpanProcessor } = await load("@langfuse/otel");
  const processor = new LangfuseSpanProcessor({
    exporter,
    exportMode: "immediate",
    publicKey: "pk",
    secretKey: "sk",
    baseUrl: MODEL,
  });
  await register(processor);
  await work(await load("@langfuse/tracing").catch(() => undefined));
  await processor.forceFlush();
}

async function register(processor) {
  const { NodeTracerProvider } = await load("@opentelemetry/sdk-trace-node");
  const { resourceFromAttributes } = await load("@opentelemetry/resources");
  const resource = resourceFromAttributes({ "service.name": "shop" });
  new NodeTracerProvider({ resource, spanProcessors: [processor] }).register();
}

async function mastra(from, kind) {
  const { Mastra } = await load("@mastra/core/mastra");
  const { Agent } = await load("@mastra/core/agent");
  const { createTool } = await load("@mastra/core/tools");
  const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
  const { z } = await load("zod");
  const getWeather = createTool({
    id: "get_weather",
    description: DESCRIPTION,
    inputSchema: z.object({ city: z.string() }),
    execute: async (given) => weather((given.context ?? given).city),
  });
  const model = createOpenAICompatible({
    name: "openai",
    baseURL: `${MODEL}/v1`,
    apiKey: "none",
    includeUsage: true,
  })("gpt-4o-mini");
  const agent = new Agent({
    id: "weatherman",
    name: "weatherman",
    instructions: SYSTEM,
    model,
    tools: { get_weather: getWeather },
  });
  const sink = await listen();
  const target = new (await load(from))[kind](
    kind === "OtelExporter"
      ? { provider: { custom: { endpoint: sink, protocol: "http/protobuf" } } }
      : { endpoint: sink, projectName: "shop" },
  );
  const configs = { shop: { serviceName: "shop", exporters: [target] } };
  let observability = { configs };
  const found = await load("@mastra/observability").catch(() => null);
  if (found?.Observability && !process.argv[2].includes("_0_"))
    observability = new found.Observability({ configs });
  const shop = new Mastra({ agents: { weatherman: agent }, observability, logger: false });
  const tracingOptions = { metadata: { userId: "u-1", sessionId: "s-1" } };
  const run = shop.getAgent("weatherman");
  const stream = await (STREAM
    ? run.stream(QUESTION, { tracingOptions })
    : run.generate(QUESTION, { tracingOptions }));
  if (STREAM) for await (const _ of stream.textStream);
  await new Promise((done) => setTimeout(done, 1000));
  await (shop.shutdown?.() ?? target.shutdown());
  await new Promise((done) => setTimeout(done, 1000));
}

async function vercel(how) {
  const { trace } = await load("@opentelemetry/api");
  const ai = await load("ai");
  const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
  const { z } = await load("zod");
  if (ai.registerTelemetry) {
    const { OpenTelemetry } = await load("@ai-sdk/otel");
    ai.registerTelemetry(new OpenTelemetry());
  }
  const model = createOpenAICompatible({
    name: "openai",
    baseURL: `${MODEL}/v1`,
    apiKey: "none",
    includeUsage: true,
  })("gpt-4o-mini");
  const schema = z.object({ city: z.string() });
  const execute = async ({ city }) => weather(city);
  const getWeather = ai.tool({
    description: DESCRIPTION,
    inputSchema: schema,
    parameters: schema,
    execute,
  });
  const metadata = { userId: "u-1", sessionId: "s-1" };
  const settings = {
    model,
    tools: { get_weather: getWeather },
    maxSteps: 5,
    ...(ai.stepCountIs ? { stopWhen: ai.stepCountIs(5) } : {}),
    ...(ai.registerTelemetry ? { telemetry: { functionId: "weatherman" } } : {}),
    experimental_telemetry: {
      isEnabled: true,
      functionId: "weatherman",
      metadata,
      tracer: trace.getTracer("ai"),
    },
  };
  if (how === "loop") {
    const agent = new ai.ToolLoopAgent({ ...settings, instructions: SYSTEM });
    await agent.generate({ prompt: QUESTION });
  } else if (how === "object") {
    const { tools: _, ...plain } = settings;
    await ai.generateObject({
      ...plain,
      schema: z.object({ answer: z.string() }),
      output: undefined,
      system: SYSTEM,
      prompt: QUESTION,
    });
  } else {
    const given = { ...settings, system: SYSTEM, messages: [{ role: "user", content: QUESTION }] };
    if (STREAM) for await (const _ of ai.streamText(given).textStream);
    else await ai.generateText(given).catch((error) => console.log("raised", error.message));
  }
}
