import { setTimeout as sleep } from "node:timers/promises";

/** The model could not answer. */
export class ModelError extends Error {
  name = "ModelError";
  code = "E_MODEL";
}

/** Longest time for an answer, in milliseconds. */
const limitMs = 120;

/**
 * A model that needs some time and sometimes fails. So that a load test knows what to expect, the question says how: `#fail`, `#slow`
 * (longer than the limit), `#broken` (fails while it streams), `#endless` (streams until nobody listens).
 */
export async function generate(question, sources) {
  const tookMs = question.includes("#slow") ? 10 * limitMs : 5 + Math.random() * 25;
  // Rejects with a TimeoutError when the limit comes first.
  const signal = AbortSignal.timeout(limitMs);
  await sleep(tookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  if (question.includes("#fail")) throw new ModelError("the model is not there");
  const text = sources.map(({ document }) => document.text).join(" ") || "I know nothing about that.";
  return { text, tokens: { input: tokensOf(question), output: tokensOf(text) } };
}

/** The text as a model says it, word by word. */
export async function* spoken(question, text) {
  const words = text.split(" ");
  for (let at = 0; at < words.length || question.includes("#endless"); at += 1) {
    if (at === 2 && question.includes("#broken")) throw new ModelError("the model fell silent");
    yield `${words[at % words.length]} `;
    await sleep(1);
  }
}

/** About as many as a tokenizer would say. */
function tokensOf(text) {
  return Math.ceil(text.length / 4);
}
