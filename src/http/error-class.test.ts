import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, type Outcome } from "./error-class.js";

const coded = (code: string): Error => Object.assign(new Error("secret of a user"), { code });

const cases: readonly (readonly [what: string, outcome: Outcome, fault: string | undefined])[] = [
  ["an answer", { status: 200, end: "complete" }, undefined],
  ["a redirect", { status: 302, end: "complete" }, undefined],
  ["a 429", { status: 429, end: "complete" }, undefined],
  ["a 429 by an error", { status: 429, end: "complete", error: coded("E_LIMIT") }, undefined],
  ["a 404", { status: 404, end: "complete" }, "4xx 404"],
  ["a 400", { status: 400, end: "complete" }, "validation 400"],
  ["a 422 by an error", { status: 422, end: "complete", error: coded("E_INPUT") }, "validation E_INPUT"],
  [
    "a validation under another status",
    { status: 418, end: "complete", error: Object.assign(new Error(), { validation: [] }) },
    "validation Error",
  ],
  ["a 503", { status: 503, end: "complete" }, "5xx 503"],
  ["a 500 by an error", { status: 500, end: "complete", error: new RangeError() }, "exception RangeError"],
  ["a 500 by what is no error", { status: 500, end: "complete", error: "text" }, "exception (no error)"],
  ["an error behind a 200", { status: 200, end: "complete", error: coded("E_MODEL") }, "exception E_MODEL"],
  ["a 504", { status: 504, end: "complete" }, "timeout 504"],
  ["a 408", { status: 408, end: "complete" }, "timeout 408"],
  ["a 500 by a timeout", { status: 500, end: "complete", error: coded("ETIMEDOUT") }, "timeout ETIMEDOUT"],
  [
    "a 503 by AbortSignal.timeout",
    {
      status: 503,
      end: "complete",
      error: AbortSignal.timeout(0).reason ?? new DOMException("", "TimeoutError"),
    },
    "timeout TimeoutError",
  ],
  ["a client that left", { status: 200, end: "client left" }, "aborted (aborted)"],
  [
    "a client that left an error",
    { status: undefined, end: "client left", error: coded("E") },
    "aborted (aborted)",
  ],
  ["an answer broken off", { status: 200, end: "broken off" }, "exception (incomplete)"],
  [
    "an answer broken off by an error",
    { status: 200, end: "broken off", error: coded("E_B") },
    "exception E_B",
  ],
  ["an idle connection", { status: undefined, end: "broken off", isTimedOut: true }, "timeout (timeout)"],
  ["an idle time that a listener let pass", { status: 200, end: "complete", isTimedOut: true }, undefined],
];

for (const [what, outcome, fault] of cases)
  test(`faultOf() of ${what} is ${fault ?? "none"}`, () => {
    const found = faultOf(outcome);

    assert.equal(found && `${found.class} ${found.type}`, fault);
  });

test("faultOf() takes no text for a type that could be long or hold what belongs to a user", () => {
  const error = Object.assign(new Error("x"), { code: "user 42's token", name: "N".repeat(100) });

  assert.equal(faultOf({ status: 500, end: "complete", error })?.type, "Error");
});

test("faultOf() of what throws when it is looked at is an exception all the same", () => {
  const error = new Proxy(
    {},
    {
      get() {
        throw new Error("not to be looked at");
      },
    },
  );

  assert.deepEqual(faultOf({ status: 500, end: "complete", error }), { class: "exception", type: "Error" });
});
