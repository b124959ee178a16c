// JavaScript frameworks: `node javascript.mjs NAME [bad] [stream]`, beside `model.py 18931`.
import { finish, load, MODEL, QUESTION, start, STREAM, SYSTEM, weather } from "./common.mjs";
import {
  openaiLoop,
  responsesLoop,
  anthropicLoop,
  langchain,
  ask,
  supervisor,
  openinferenceLangchain,
  inAgentSpan,
  inTraceloop,
  traceloopTool,
  DESCRIPTION,
  OWNERS,
  converseLoop,
} from "./loops.mjs";
import { FRAMEWORKS } from "./more_frameworks.mjs";

const [name] = process.argv.slice(2);
const provider =
  /langfuse|mastra|genkit|vercel_oi|ollm$/.test(name) && !/langchain_ollm|llamaindex/.test(name)
    ? null
    : await start();

const RECORDERS = {
  async js_langchain_oi() {
    await openinferenceLangchain();
    await ask((await langchain()).agent);
  },
  async js_supervisor_oi() {
    await openinferenceLangchain();
    await ask(await supervisor());
  },
  async js_langsmith() {
    Object.assign(process.env, {
      LANGSMITH_TRACING: "true",
      LANGSMITH_OTEL_ENABLED: "true",
      LANGSMITH_API_KEY: "none",
    });
    process.env.LANGSMITH_ENDPOINT = MODEL;
    process.env.LANGCHAIN_CALLBACKS_BACKGROUND = "false";
    const { initializeOTEL } = await load("langsmith/experimental/otel/setup");
    initializeOTEL({ skipGlobalContextManagerSetup: true, globalTracerProvider: provider });
    const { traceable } = await load("langsmith/traceable");
    const { wrapOpenAI } = await load("langsmith/wrappers");
    const { Client } = await load("langsmith");
    const { default: OpenAI } = await load("openai");
    const client = new Client();
    const call = traceable(async (city) => weather(city), {
      name: "get_weather",
      run_type: "tool",
      client,
    });
    const model = wrapOpenAI(new OpenAI(), { client });
    const agent = traceable((question) => openaiLoop(model, call), {
      name: "weatherman",
      metadata: OWNERS,
      client,
    });
    await agent(QUESTION).catch((error) => console.log("raised", error.message));
    await client.awaitPendingTraceBatches();
  },
  async js_langchain_ollm() {
    const { LangChainInstrumentation } = await load("@traceloop/instrumentation-langchain");
    const managers = await load("@langchain/core/callbacks/manager");
    new LangChainInstrumentation().manuallyInstrument({ callbackManagerModule: managers });
    const { agent } = await langchain();
    await inAgentSpan(() => ask(agent));
  },
  async js_openai_agents_oi() {
    const agents = await load("@openai/agents");
    const { OpenAIAgentsInstrumentation } = await load(
      "@arizeai/openinference-instrumentation-openai-agents",
    );
    new OpenAIAgentsInstrumentation({ tracerProvider: provider }).manuallyInstrument(agents);
    const { z } = await load("zod");
    const getWeather = agents.tool({
      name: "get_weather",
      description: DESCRIPTION,
      parameters: z.object({ city: z.string() }),
      execute: async ({ city }) => weather(city),
    });
    const agent = new agents.Agent({
      name: "weatherman",
      instructions: SYSTEM,
      tools: [getWeather],
      model: "gpt-4o-mini",
    });
    const runner = new agents.Runner({
      groupId: "s-1",
      traceMetadata: { user_id: "u-1" },
      workflowName: "shop",
    });
    if (STREAM) await (await runner.run(agent, QUESTION, { stream: true })).completed;
    else await runner.run(agent, QUESTION);
    await agents.getGlobalTraceProvider().forceFlush();
  },
  async js_openai_agents_handoff_oi() {
    const agents = await load("@openai/agents");
    const { OpenAIAgentsInstrumentation } = await load(
      "@arizeai/openinference-instrumentation-openai-agents",
    );
    new OpenAIAgentsInstrumentation({ tracerProvider: provider }).manuallyInstrument(agents);
    const { z } = await load("zod");
    const getWeather = agents.tool({
      name: "get_weather",
      description: DESCRIPTION,
      parameters: z.object({ city: z.string() }),
      execute: async ({ city }) => weather(city),
    });
    const inner = new agents.Agent({
      name: "weatherman",
      instructions: SYSTEM,
      tools: [getWeather],
      model: "gpt-4o-mini",
    });
    const outer = agents.Agent.create({
      name: "boss",
      instructions: "You hand over.",
      handoffs: [inner],
      model: "gpt-4o-mini",
    });
    await new agents.Runner({ groupId: "s-1" }).run(outer, QUESTION);
    await agents.getGlobalTraceProvider().forceFlush();
  },
  async js_openai_oi() {
    const OpenAI = (await load("openai")).default;
    const { OpenAIInstrumentation } = await load("@arizeai/openinference-instrumentation-openai");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    await inAgentSpan(() => openaiLoop(new OpenAI()));
  },
  async js_responses_oi() {
    const OpenAI = (await load("openai")).default;
    const { OpenAIInstrumentation } = await load("@arizeai/openinference-instrumentation-openai");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    await inAgentSpan(() => responsesLoop(new OpenAI()));
  },
  async js_anthropic_oi() {
    const Anthropic = (await load("@anthropic-ai/sdk")).default;
    const { AnthropicInstrumentation } = await load(
      "@arizeai/openinference-instrumentation-anthropic",
    );
    new AnthropicInstrumentation().manuallyInstrument(Anthropic);
    await inAgentSpan(() => anthropicLoop(new Anthropic()));
  },
  async js_bedrock_oi() {
    const bedrock = await load("@aws-sdk/client-bedrock-runtime");
    const { BedrockInstrumentation } = await load("@arizeai/openinference-instrumentation-bedrock");
    new BedrockInstrumentation().manuallyInstrument(bedrock);
    await inAgentSpan(() => converseLoop(bedrock));
  },
  async js_core_oi() {
    const OpenAI = (await load("openai")).default;
    const { OpenAIInstrumentation } = await load("@arizeai/openinference-instrumentation-openai");
    const core = await load("@arizeai/openinference-core");
    const { context } = await load("@opentelemetry/api");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    const call = core.traceTool((city) => weather(city), { name: "get_weather" });
    const agent = core.traceAgent((question) => openaiLoop(new OpenAI(), call), {
      name: "weatherman",
    });
    const owned = core.setUser(core.setSession(context.active(), { sessionId: "s-1" }), {
      userId: "u-1",
    });
    await context.with(owned, () => agent(QUESTION));
  },
  async js_openai_ollm() {
    const { OpenAIInstrumentation } = await load("@traceloop/instrumentation-openai");
    const { OpenAI } = await load("openai");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    await inTraceloop(() => openaiLoop(new OpenAI(), traceloopTool));
  },
  async js_responses_ollm() {
    const { OpenAIInstrumentation } = await load("@traceloop/instrumentation-openai");
    const { OpenAI } = await load("openai");
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    await inTraceloop(() => responsesLoop(new OpenAI()));
  },
  async js_anthropic_ollm() {
    const { AnthropicInstrumentation } = await load("@traceloop/instrumentation-anthropic");
    const anthropic = await load("@anthropic-ai/sdk");
    new AnthropicInstrumentation().manuallyInstrument({
      Anthropic: anthropic.Anthropic ?? anthropic.default,
    });
    await inTraceloop(() => anthropicLoop(new (anthropic.Anthropic ?? anthropic.default)()));
  },
};

await { ...RECORDERS, ...FRAMEWORKS }[name]();
await finish(name, provider);
process.exit(0);
