import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { Guard, isLoopback } from "./guard.js";

const token = "0123456789abcdef";

function codeFor(guard: Guard, headers: Record<string, string>): string | undefined {
  return guard.refusal(headers)?.code;
}

test("Guard beyond loopback refuses to start without a token, or with a short one", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "metrics.example"]) {
    assert.throws(() => new Guard({ host }), { code: "SERVER_TOKEN_MISSING" });
    assert.throws(() => new Guard({ host, token: "short" }), { code: "SERVER_TOKEN_MISSING" });
    assert.equal(new Guard({ host, token }).isOpen, false);
  }
  assert.equal(new Guard({ host: "127.0.0.1" }).isOpen, true);
});

test("Guard on loopback answers to addresses, localhost and this machine's name only", () => {
  const guard = new Guard({ host: "127.0.0.1", allowedHosts: ["Poundlock.internal"] });

  for (const host of [
    "127.0.0.1:4600",
    "localhost:9",
    "[::1]:4600",
    "a.localhost",
    "10.0.0.7:4600",
    hostname(),
    "poundlock.internal:4600",
  ])
    assert.equal(codeFor(guard, { host }), undefined, host);
  for (const host of [
    "evil.example:4600",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "a b",
    "127.0.0.1:4600@evil.example",
  ])
    assert.equal(codeFor(guard, { host }), "HTTP_HOST_REFUSED", host);
});

test("Guard refuses pages of other origins, even of another port", () => {
  const guard = new Guard({ host: "127.0.0.1", token });
  const host = "127.0.0.1:4600";

  assert.equal(codeFor(guard, { host, origin: "http://127.0.0.1:4600" }), undefined);
  for (const origin of [
    "http://evil.example",
    "http://127.0.0.1:4601",
    "null",
    "file://",
    "http://127.0.0.1:4600.evil.example",
  ])
    assert.equal(
      codeFor(guard, { host, origin, authorization: `Bearer ${token}` }),
      "HTTP_ORIGIN_REFUSED",
      origin,
    );
  assert.equal(
    codeFor(guard, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }),
    "HTTP_ORIGIN_REFUSED",
  );
  assert.equal(
    codeFor(guard, { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }),
    undefined,
  );
});

test("Guard beyond loopback wants the token, as a header or as the cookie, under any host name", () => {
  const guard = new Guard({ host: "0.0.0.0", token });
  const host = "metrics.example";

  assert.equal(codeFor(guard, { host }), "HTTP_TOKEN_NEEDED");
  assert.equal(codeFor(guard, { host, authorization: "Bearer 0123456789abcdeX" }), "HTTP_TOKEN_NEEDED");
  assert.equal(codeFor(guard, { host, cookie: "poundlock_session=x" }), "HTTP_TOKEN_NEEDED");
  assert.equal(codeFor(guard, { host, authorization: `Bearer ${token}` }), undefined);
  assert.equal(
    codeFor(guard, { host, cookie: `other=1; poundlock_session=${guard.cookieValue()}` }),
    undefined,
  );
  assert.ok(!guard.cookieValue().includes(token));
});

test("a Guard without a token takes no cookie for one", () => {
  const guard = new Guard({ host: "127.0.0.1" });

  assert.equal(codeFor(guard, { host: "evil.example", cookie: "poundlock_session=" }), "HTTP_HOST_REFUSED");
});

test("isLoopback() holds only for what can't leave this machine", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
    assert.equal(isLoopback(host), true, host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "1270.0.0.1"])
    assert.equal(isLoopback(host), false, host);
});

test("Guard takes a page of another port of this machine's own name for a foreign one", () => {
  const guard = new Guard({ host: "127.0.0.1", allowedHosts: ["dash.example"] });
  const name = hostname();

  assert.equal(codeFor(guard, { host: `${name}:4600`, origin: `http://${name}:4600` }), undefined);
  assert.equal(codeFor(guard, { host: "127.0.0.1:4600", origin: "https://dash.example" }), undefined);
  assert.equal(
    codeFor(guard, { host: "127.0.0.1:4600", origin: `http://${name}:8080` }),
    "HTTP_ORIGIN_REFUSED",
  );
});
