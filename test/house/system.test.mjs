import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { inRoot } from "../../scripts/paths.mjs";
import { fixture } from "./fixture.mjs";

/** An apt-get that writes down how it was called, and "installs" by putting empty programs beside itself. */
const fakeApt = `#!/bin/sh
dir=\${0%/*}
echo "$RUNLEVEL $SYSTEMD_OFFLINE $DEBIAN_FRONTEND $*" >> "$dir/calls"
[ "$1" = install ] || exit 0
for name in chromium redis-server prometheus; do echo "#!/bin/sh" > "$dir/$name"; /bin/chmod +x "$dir/$name"; done
`;

function ensureIn(dir, isRoot) {
  const code = `import { ensureTestPackages } from ${JSON.stringify(`file://${inRoot("scripts/system.mjs")}`)};
    process.stdout.write(String(ensureTestPackages(${isRoot})));`;
  const { POUNDLOCK_CHROMIUM: _chromium, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...env, PATH: dir },
    encoding: "utf8",
  });
}

test("ensureTestPackages() installs what is missing as root, without starting services, and only then", (t) => {
  const dir = fixture(t, { "apt-get": fakeApt });
  chmodSync(join(dir, "apt-get"), 0o755);

  const first = ensureIn(dir, true);
  const second = ensureIn(dir, true);

  assert.equal(first.stdout, "true");
  assert.equal(second.stdout, "true");
  const calls = readFileSync(join(dir, "calls"), "utf8").trim().split("\n");
  assert.equal(calls.length, 2);
  assert.match(calls[0], /^1 1 noninteractive update/);
  assert.match(
    calls[1],
    /^1 1 noninteractive install .*--no-install-recommends chromium .*redis-server prometheus$/,
  );
});

test("ensureTestPackages() says in one line what to install where it may not", (t) => {
  const dir = fixture(t, { "apt-get": fakeApt });
  chmodSync(join(dir, "apt-get"), 0o755);

  const { stdout, stderr } = ensureIn(dir, false);

  assert.equal(stdout, "false");
  assert.match(stderr, /^The tests need .*apt-get install --no-install-recommends chromium .*prometheus\n$/);
  assert.ok(!existsSync(join(dir, "calls")));
});
