/**
 * What may not stand in the code, and what to use instead; check-tidy holds the files to it.
 *
 * - `where`: "product" is src without its tests; "tests" are all tests and their kit; "code" is everything that is compiled or
 *   run (src, test, bench, scripts, web); "text" is that and documents, locks and settings.
 * - `sees`: "code" (default) without comments and the insides of strings; "strings" without comments; "all".
 * - `except`: files that may, each with its reason.
 */
export const bans = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)/,
    where: "product",
    instead: "clock.now() of the injected Clock",
    except: { "src/base/clock.ts": "it is the clock" },
  },
  {
    pattern: /\bperformance\.now\b|\bprocess\.(?:hrtime|uptime)\b/,
    where: "product",
    instead: "clock.monotonicMs() of the injected Clock",
    except: { "src/base/clock.ts": "it is the clock" },
  },
  {
    pattern: /\bset(?:Timeout|Interval)\(|["']node:timers/,
    where: "product",
    sees: "strings",
    instead: "clock.after() or pause() of base, which tests can move",
    except: { "src/base/clock.ts": "it is the clock" },
  },
  {
    pattern: /\bcreateRequire\b/,
    where: "product",
    instead: "import, which check-layers sees",
  },
  {
    pattern: /\bconsole\./,
    where: "product",
    instead: "a notice, or the Terminal of src/cli",
  },
  {
    pattern: /(?:\bthrow |\breject\()new Error\(/,
    where: "product",
    instead: "a PoundlockError of the module's errors.ts, or assertInvariant() for a bug of ours",
    except: { "src/base/options.ts": "it is assertInvariant()" },
  },
  {
    pattern: /\bprocess\.exit\(/,
    where: "product",
    instead: "process.exitCode, so that output is not cut off",
    except: { "src/cli/main.ts": "it is where the process ends" },
  },
  {
    pattern: /^\s*(?:export )?(?:declare )?(?:const )?enum \w/,
    where: "product",
    instead: "a union of literals",
  },
  { pattern: /^\s*(?:export )?(?:declare )?namespace \w/, where: "product", instead: "a module" },
  { pattern: /\bprivate (?!constructor)/, where: "product", instead: "a #private name" },
  { pattern: /\bas any\b/, where: "code", instead: "a type that says what is relied on" },
  {
    pattern: /@ts-(?:ignore|nocheck)/,
    where: "code",
    sees: "all",
    instead: "a correct type, or @ts-expect-error with the reason",
  },
  { pattern: /\beval\(|\bnew Function\(/, where: "code", instead: "code" },
  {
    pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}/,
    where: "code",
    sees: "all",
    instead: "handling it, or a comment that says why it does not matter",
  },
  {
    pattern: /\b(?:test|it|describe|suite|t)\.(?:only|skip|todo)\(|\b(?:only|skip|todo):\s*(?:true|["'`])/,
    where: "tests",
    instead: "a test that runs",
  },
  {
    pattern: /\bsetTimeout\(|["']node:timers/,
    where: "tests",
    sees: "strings",
    instead: "until() of test/kit for a condition, ManualClock for time, the test's own timeout for a limit",
    except: { "test/kit/until.ts": "it is where waiting happens" },
  },
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/, where: "text", sees: "all", instead: "doing it, or an issue" },
  {
    pattern: /(?<![\w.])\/(?:work|root|home)\/\w/,
    where: "text",
    sees: "all",
    instead: "a path relative to the file, or one made by the test",
  },
  { pattern: /["'`]\/tmp\b/, where: "code", sees: "strings", instead: "os.tmpdir() with mkdtemp" },
  {
    pattern: /registry\.(?:npmjs|yarnpkg)\.|deb\.debian\.org/,
    where: "text",
    sees: "all",
    instead: "a package's name; whose mirror serves it is the user's business",
  },
];

/** Longest file of the product, in lines: past this it holds more than one idea. */
export const linesMax = 400;

/** Files of the product that may be longer, each with its reason. */
export const longFiles = {};

/** Files that name what is banned because that is their job. */
export const exempt = ["scripts/bans.mjs", "test/house/check-tidy.test.mjs"];
