// What the vendors' Node packages make of recorded answers, whole and streamed.
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const messages = [{ role: "user", content: "hello" }];
const openai = new OpenAI();
const anthropic = new Anthropic();
const chat = { model: "m", messages };
const claude = { model: "m", max_tokens: 100, messages };
const response = { model: "m", input: "hello" };
const failed = async (work) => {
  try {
    await work();
  } catch (error) {
    return [error.constructor.name, error.status];
  }
  return null;
};
console.log(
  JSON.stringify({
    chat: (await openai.chat.completions.create(chat)).choices[0].message.content,
    chat_stream: (await openai.chat.completions.stream(chat).finalMessage()).content,
    responses: (await openai.responses.create(response)).output_text,
    responses_stream: (await openai.responses.stream(response).finalResponse()).output_text,
    anthropic: (await anthropic.messages.create(claude)).content[0].text,
    anthropic_stream: await anthropic.messages.stream(claude).finalText(),
    missing: await failed(() =>
      openai.chat.completions.create({ model: "m", messages: [{ role: "user", content: "else" }] }),
    ),
  }),
);
