const questions = [
  "What is a deadlock?",
  "How is a percentile defined?",
  "What bounds the error of a histogram?",
  "What is a hit rate?",
  "How does a token bucket work?",
  "When may work be done twice?",
  "What does a snapshot show?",
  "Who is served first?",
];

/** Kinds of requests by how often they come, in percent. */
const kinds = [
  [58, (random) => query(pick(questions, random))],
  [6, (random) => query(`${pick(questions, random)} (${Math.floor(random() * 1e6)})`)],
  [4, () => query("Why? ".repeat(200))],
  [4, () => query("What if it does not work? #fail")],
  [2, () => query("What takes long? #slow")],
  [4, () => query("Are you there? #busy")],
  [4, () => ({ method: "POST", path: "/query", body: '{"text":"no question"}' })],
  [4, (random) => query(pick(questions, random), { stream: true })],
  [3, () => query("What is it? #broken", { stream: true })],
  [3, () => ({ ...query("Tell me everything. #endless", { stream: true }), leavesAfter: 40 })],
  [4, (random) => ({ method: "GET", path: `/documents/${pick(["locks", "caches", "nothing"], random)}` })],
  [2, (random) => ({ method: "GET", path: `/secret/${Math.floor(random() * 1e6)}` })],
  [2, (random) => ({ method: "HEAD", path: `/documents/${pick(["locks", "nothing"], random)}` })],
];

/** The requests of one user, always the same for a seed. */
export function* requestsOf(seed, user) {
  const random = randomOf(seed * 1_000_003 + user);
  for (;;) {
    let left = random() * 100;
    const [, make] = kinds.find(([percent]) => (left -= percent) < 0) ?? kinds[0];
    yield make(random);
  }
}

function query(question, more = {}) {
  return { method: "POST", path: "/query", body: JSON.stringify({ question, ...more }) };
}

function pick(list, random) {
  return list[Math.floor(random() * list.length)];
}

/** mulberry32. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
