// Agents that have no framework, or LangChain's: a loop around a model and its tool.
import {
  exporter,
  load,
  MODEL,
  QUESTION,
  SCHEMA,
  STREAM,
  SYSTEM,
  TOOL,
  weather,
} from "./common.mjs";

export const DESCRIPTION = "Weather of a city";
export const OWNERS = { session_id: "s-1", user_id: "u-1" };

/** The OpenAI SDK with a loop of our own around it; `call` may be wrapped. */
export async function openaiLoop(client, call = weather) {
  const messages = [
    { role: "system", content: SYSTEM },
    { role: "user", content: QUESTION },
  ];
  for (let turn = 0; turn < 3; turn++) {
    const request = { model: "gpt-4o-mini", messages: [...messages], tools: [TOOL] };
    let message = {};
    if (STREAM) {
      const options = { ...request, stream: true, stream_options: { include_usage: true } };
      for await (const chunk of await client.chat.completions.create(options)) {
        const delta = chunk.choices[0]?.delta ?? {};
        message = {
          role: "assistant",
          content: message.content ?? null,
          tool_calls: message.tool_calls,
        };
        if (delta.content) message.content = (message.content ?? "") + delta.content;
        for (const { index, ...call } of delta.tool_calls ?? [])
          (message.tool_calls ??= []).push(call);
      }
      if (!message.tool_calls) delete message.tool_calls;
    } else message = (await client.chat.completions.create(request)).choices[0].message;
    messages.push(message);
    if (!message.tool_calls) return message.content;
    for (const { id, function: asked } of message.tool_calls) {
      let content;
      try {
        content = await call(JSON.parse(asked.arguments).city);
      } catch (error) {
        content = `Error: ${error.message}`;
      }
      messages.push({ role: "tool", tool_call_id: id, content });
    }
  }
}

export async function responsesLoop(client) {
  const tools = [
    {
      type: "function",
      name: "get_weather",
      description: DESCRIPTION,
      parameters: SCHEMA,
      strict: true,
    },
  ];
  const input = [{ role: "user", content: QUESTION }];
  for (let turn = 0; turn < 3; turn++) {
    const request = { model: "gpt-4o-mini", instructions: SYSTEM, input: [...input], tools };
    let found;
    if (STREAM) {
      for await (const event of await client.responses.create({ ...request, stream: true }))
        if (event.type === "response.completed") found = event.response;
    } else found = await client.responses.create(request);
    input.push(...found.output);
    const asked = found.output.filter((item) => item.type === "function_call");
    if (!asked.length) return;
    for (const call of asked) {
      let output;
      try {
        output = weather(JSON.parse(call.arguments).city);
      } catch (error) {
        output = `Error: ${error.message}`;
      }
      input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
}

export async function anthropicLoop(client) {
  const tools = [{ name: "get_weather", description: DESCRIPTION, input_schema: SCHEMA }];
  const messages = [{ role: "user", content: QUESTION }];
  for (let turn = 0; turn < 3; turn++) {
    const said = await client.messages.create({
      model: "claude-x",
      max_tokens: 100,
      system: SYSTEM,
      messages: [...messages],
      tools,
    });
    messages.push({ role: "assistant", content: said.content });
    const asked = said.content.filter((part) => part.type === "tool_use");
    if (!asked.length) return;
    const content = asked.map(({ id, input }) => {
      try {
        return { type: "tool_result", tool_use_id: id, content: weather(input.city) };
      } catch (error) {
        return { type: "tool_result", tool_use_id: id, content: error.message, is_error: true };
      }
    });
    messages.push({ role: "user", content });
  }
}

export async function langchain() {
  const { createAgent } = await load("langchain");
  const { ChatOpenAI } = await load("@langchain/openai");
  const { tool } = await load("@langchain/core/tools");
  const { z } = await load("zod");
  const getWeather = tool(({ city }) => weather(city), {
    name: "get_weather",
    description: DESCRIPTION,
    schema: z.object({ city: z.string() }),
  });
  const model = new ChatOpenAI({
    model: "gpt-4o-mini",
    apiKey: "none",
    streaming: STREAM,
    configuration: { baseURL: `${MODEL}/v1` },
  });
  return {
    agent: createAgent({ model, tools: [getWeather], systemPrompt: SYSTEM, name: "weatherman" }),
    model,
    getWeather,
  };
}

export async function ask(agent, config = {}) {
  const given = { messages: [{ role: "user", content: QUESTION }] };
  const options = {
    runName: "weatherman",
    metadata: OWNERS,
    configurable: { thread_id: "s-1" },
    ...config,
  };
  try {
    if (STREAM) for await (const _ of await agent.stream(given, options));
    else await agent.invoke(given, options);
  } catch (error) {
    console.log("raised", error.message);
  }
}

export async function supervisor() {
  const { createSupervisor } = await load("@langchain/langgraph-supervisor");
  const { createReactAgent } = await load("@langchain/langgraph/prebuilt");
  const { model, getWeather } = await langchain();
  const inner = createReactAgent({
    llm: model,
    tools: [getWeather],
    prompt: SYSTEM,
    name: "weatherman",
  });
  return createSupervisor({
    agents: [inner],
    llm: model,
    prompt: "You hand over to the weatherman.",
  }).compile({ name: "boss" });
}

export async function openinferenceLangchain() {
  const { LangChainInstrumentation } = await load(
    "@arizeai/openinference-instrumentation-langchain",
  );
  const managers = await load("@langchain/core/callbacks/manager");
  new LangChainInstrumentation().manuallyInstrument(managers);
}

export async function inAgentSpan(work) {
  const { trace } = await load("@opentelemetry/api");
  await trace.getTracer("shop").startActiveSpan("turn", async (span) => {
    await work();
    span.end();
  });
}

export async function inTraceloop(work) {
  const traceloop = await load("@traceloop/node-server-sdk");
  traceloop.initialize({
    appName: "shop",
    exporter,
    disableBatch: true,
    traceloopSyncEnabled: false,
    silenceInitializationMessage: true,
    instrumentModules: {},
  });
  const { withAgent, withAssociationProperties } = await load("@traceloop/node-server-sdk");
  await withAssociationProperties(OWNERS, () => withAgent({ name: "weatherman" }, work));
}

export async function traceloopTool(city) {
  const { withTool } = await load("@traceloop/node-server-sdk");
  return withTool({ name: "get_weather", inputParameters: [{ city }] }, async () => weather(city));
}

export async function converseLoop({ BedrockRuntimeClient, ConverseCommand }) {
  const { NodeHttpHandler } = await load("@smithy/node-http-handler");
  const client = new BedrockRuntimeClient({
    requestHandler: new NodeHttpHandler(), // HTTP/1
    region: "eu-west-1",
    endpoint: MODEL,
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
  });
  const toolSpec = { name: "get_weather", description: DESCRIPTION, inputSchema: { json: SCHEMA } };
  const messages = [{ role: "user", content: [{ text: QUESTION }] }];
  for (let turn = 0; turn < 3; turn++) {
    const request = {
      modelId: "claude-x",
      system: [{ text: SYSTEM }],
      messages: [...messages],
      toolConfig: { tools: [{ toolSpec }] },
    };
    const { message } = (await client.send(new ConverseCommand(request))).output;
    messages.push(message);
    const asked = message.content.filter((part) => part.toolUse);
    if (!asked.length) return;
    const content = asked.map(({ toolUse: { toolUseId, input } }) => {
      try {
        return { toolResult: { toolUseId, content: [{ text: weather(input.city) }] } };
      } catch (error) {
        const told = [{ text: error.message }];
        return { toolResult: { toolUseId, content: told, status: "error" } };
      }
    });
    messages.push({ role: "user", content });
  }
}
