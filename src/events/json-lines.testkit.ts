/** A small seeded generator of random numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lines of the kinds that real logs hold; each stands for a shape. */
export const sampleLines: readonly string[] = [
  '{"time":"2024-07-26T08:31:48.717","user":"0xc64cc00b46101bd40aa1c3121195e85c0b0918d8","status":"canceled","order":{"coin":"INJ","side":"A","limitPx":"25.381","oid":12212359592,"isTrigger":false,"children":[],"tif":"Alo","cloid":null}}',
  '{"status":"open","order":null,"order.coin":"flat","n":-0}',
  '{"ts": "2026-02-25T10:00:00Z", "status": 200, "latency_ms": 512.3, "order": {"coin": "\\u00e9\\n"}, "chunk_ids": [42, 17, 88], "ok": true}',
  '{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","input":{"command":"a \\"b\\""}}],"usage":{"in":3,"x":{"y":[1,2,{"z":null}]}}},"status":"ok"}',
  '{"coin":"HYPE","side_info":[{"user":"0xc2","oid":105686976375,"twap_id":null},{"user":"0xaf","oid":1}],"status":1e400,"":"empty","ключ":"значение \u2028 \ud83d"}',
];

export const samplePaths: readonly (readonly string[])[] = [
  ["status", "order.coin"],
  ["status", "order.coin", "time", "order.limitPx", "order.oid", "order.cloid", "latency_ms"],
  ["order", "order.coin", "message.usage.in", "message.content.0.type", "side_info.1.user", "n"],
  ["order.children", "message.usage.x", "side_info", "ok", "chunk_ids.2", "chunk_ids", "ключ"],
  ["__proto__", "constructor", "order.__proto__.x", "status.x", "message.content.0.input.command"],
  [],
];

const insertions = [
  ...'{}[],:"\\ \t\u0000\u001f0-.eE19a\u00e9\u2028\ud800',
  '"status":"again",',
  ',"status":null',
  '"order":{"coin":"second"},',
  '"order":7,',
  '"st\\u0061tus":"escaped",',
  '"order.coin":1,',
  '"__proto__":{"x":1},',
  '"constructor":5,',
  "\\u00e9",
  "\\uD800",
  "\\x",
  "null",
  "true",
  "-0",
  "1e400",
  "12345678901234567890",
  "01",
  "1.",
  " ",
  "{}",
  "[]",
  "[[[[[]]]]]",
  '{"a":{"b":{"c":{"d":{}}}}}',
];

/** A line with one to three small wounds: bytes flipped, pieces put in, cut out, doubled, exchanged or cut off. */
export function mutate(line: string, random: () => number): string {
  let mutated = line;
  const wounds = 1 + Math.floor(random() * random() * 3);
  for (let i = 0; i < wounds; i++) mutated = wound(mutated, random);
  return mutated;
}

function wound(line: string, random: () => number): string {
  const at = Math.floor(random() * (line.length + 1));
  const to = Math.min(line.length, at + Math.floor(random() * 12));
  const insertion = insertions[Math.floor(random() * insertions.length)]!;
  switch (Math.floor(random() * 7)) {
    case 0: // a bit flipped
      return (
        line.slice(0, at) +
        String.fromCharCode((line.charCodeAt(at) || 0x20) ^ (1 << Math.floor(random() * 8))) +
        line.slice(at + 1)
      );
    case 1: // put in
      return line.slice(0, at) + insertion + line.slice(at);
    case 2: // put in where a key may stand
      return insertAfterComma(line, at, insertion);
    case 3: // cut out
      return line.slice(0, at) + line.slice(to);
    case 4: // doubled
      return line.slice(0, to) + line.slice(at);
    case 5: // a value exchanged for another
      return exchangeValue(line, at, insertion);
    default: // cut off, seldom short
      return line.slice(0, Math.max(at, Math.floor(line.length * 0.9)));
  }
}

function insertAfterComma(line: string, from: number, insertion: string): string {
  const comma = line.indexOf(",", from);
  return comma < 0 ? line : line.slice(0, comma + 1) + insertion + line.slice(comma + 1);
}

function exchangeValue(line: string, from: number, insertion: string): string {
  const start = line.indexOf(":", from) + 1;
  const length = /^\s*(?:"[^"]*"|[\w.+-]+|\[\]|\{\})/.exec(line.slice(start))?.[0].length;
  return start === 0 || length === undefined
    ? line
    : line.slice(0, start) + insertion + line.slice(start + length);
}
