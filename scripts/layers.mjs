/**
 * Who may import whom: the one table. check-layers holds the code to it, ARCHITECTURE.md shows it.
 *
 * - `imports`: other modules, entered by their index.ts; "above" stands for every module before this one.
 * - `packages`: npm packages; a module that has none says so by having no entry. Node's own modules are free.
 * - `opens`: doors of their own that it may enter. Such a door (`store/lmdb`) is a folder in a module, kept out of the
 *   module's index.ts because it needs something heavy or native; nobody else may enter it.
 */
export const layers = [
  { module: "base", imports: [], holds: "clock, errors, options, bytes, notices" },
  { module: "sketch", imports: ["base"], holds: "mergeable summaries" },
  {
    module: "threads",
    imports: ["base"],
    holds: "the thread pool: limits, replacement of dead or hung threads",
  },
  { module: "buffer", imports: ["base"], holds: "the priority buffer" },
  { module: "protobuf", imports: ["base"], holds: "thin codec" },
  {
    module: "events",
    imports: ["base"],
    packages: ["@marcbachmann/cel-js"],
    holds: "decoding, field paths, expressions",
  },
  {
    module: "locks",
    imports: ["base", "sketch"],
    holds: "mutex, read-write lock, semaphore; deadlock detection",
  },
  {
    module: "metrics",
    imports: ["base", "sketch", "protobuf"],
    holds: "registry in shared memory, exposition",
  },
  { module: "store", imports: ["base", "sketch", "events", "locks"], holds: "the contract and memory" },
  {
    module: "store/lmdb",
    imports: ["base", "sketch", "events", "locks"],
    packages: ["lmdb"],
    holds: "the embedded store, one owning process",
  },
  {
    module: "store/redis",
    imports: ["base", "sketch", "events", "locks"],
    packages: ["redis"],
    holds: "the store for several processes and machines",
  },
  { module: "tail", imports: ["base", "store"], holds: "follow files, identity, rotation; plans ranges" },
  {
    module: "intake",
    imports: ["base", "buffer", "events", "store", "protobuf"],
    holds: "http, otlp, statsd, websocket",
  },
  {
    module: "pipeline",
    imports: ["base", "sketch", "threads", "events", "store", "tail", "locks"],
    holds: "rules → fold → worker loop → settle; query, views",
  },
  {
    module: "shipping",
    imports: ["base", "sketch", "metrics", "store", "pipeline"],
    holds: "ships a registry's series into a store",
  },
  {
    module: "sessions",
    imports: ["base", "buffer", "events", "locks", "store"],
    holds: "manager, driver interface",
  },
  {
    module: "sessions/telegram",
    imports: ["base", "buffer", "events", "locks", "store"],
    packages: ["@mtcute/core", "@mtcute/node"],
    holds: "Telegram driver",
  },
  {
    module: "sessions/websocket",
    imports: ["base", "buffer", "events", "locks", "store"],
    packages: ["ws"],
    holds: "WebSocket driver",
  },
  {
    module: "voice",
    imports: ["base", "buffer", "events", "sketch", "store"],
    holds: "library door: voice agents",
  },
  { module: "http", imports: ["base", "metrics"], holds: "library door: metrics of an HTTP service" },
  { module: "client", imports: ["base", "buffer"], holds: "library door: sends events to a server" },
  {
    module: "config",
    imports: ["base", "events", "pipeline"],
    packages: ["yaml", "zod"],
    holds: "schema, loading, errors with line and column",
  },
  { module: "presets", imports: "above", holds: "presets as data and small adapters" },
  {
    module: "engine",
    imports: "above",
    opens: ["store/lmdb", "store/redis", "sessions/telegram", "sessions/websocket"],
    packages: [],
    holds: "assembles all from a config; the only place that names an implementation",
  },
  {
    module: "server",
    imports: "above",
    packages: ["fastify", "ws"],
    holds: "REST, WebSocket, Prometheus, static dashboard",
  },
  { module: "cli", imports: "above", packages: ["commander"], holds: "commands, one file each" },
];

/** Files with `import()` of something that is not a literal, and why each may. */
export const dynamicImports = {
  "src/config/load.ts": "loads the user's own poundlock.config.{js,mjs}",
};

/** What the package offers besides `.`: doors of modules, each a subpath of `exports` as soon as it exists. */
export const libraryDoors = [
  "locks",
  "metrics",
  "sketch",
  "store",
  "store/lmdb",
  "store/redis",
  "tail",
  "sessions",
  "voice",
  "http",
  "client",
  "shipping",
  "config",
];

/** Packages that only tests and benches import. */
export const testPackages = [
  "@hono/node-server",
  "@opentelemetry/api",
  "@opentelemetry/otlp-transformer",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-metrics",
  "express",
  "express4",
  "fast-check",
  "fastify",
  "hono",
  "parse-prometheus-text-format",
  "playwright-core",
  "protobufjs",
];

/** Measured against, and imported by nothing else. */
export const benchPackages = [
  "@prometheus-io/client",
  "async-lock",
  "async-mutex",
  "async-sema",
  "p-limit",
  "prom-client",
];

/** What the dashboard may import: packages of its bundle, and types alone from these modules. */
/**
 * What the dashboard may take: types from doors, and what a page made by the server and the one that replaces it must say alike:
 * how numbers are written, and what the ledger's figures are. These files import nothing but types.
 */
export const web = {
  packages: ["uplot"],
  types: ["pipeline", "store", "server"],
  shared: ["src/server/text.ts", "src/store/ledger-sum.ts"],
};

/** A module's row, its imports written out: the modules it may enter by their doors. */
export function layerOf(name) {
  const at = layers.findIndex((layer) => layer.module === name);
  if (at === -1) return undefined;
  const { imports, opens = [], packages = [], holds } = layers[at];
  const isOwnDoor = (other) => other.includes("/");
  const above = layers.slice(0, at).map((layer) => layer.module);
  return {
    module: name,
    imports: new Set([
      ...(imports === "above" ? above.filter((other) => !isOwnDoor(other)) : imports),
      ...opens,
    ]),
    packages: new Set(packages),
    holds,
  };
}

/** The table as ARCHITECTURE.md shows it. */
export function layersAsMarkdown() {
  const rows = layers.map(({ module, imports, opens = [], packages = [], holds }) => {
    const entered = imports === "above" ? ["everything above"] : imports;
    const opened = opens.length > 0 ? [`the doors ${opens.join(" ")}`] : [];
    const may = [...(entered.length > 0 ? [entered.join(" ")] : []), ...opened].join("; ");
    return `| ${module} | ${may || "–"} | ${packages.join(" ") || "–"} | ${holds} |`;
  });
  return ["| module | may import | packages | holds |", "|---|---|---|---|", ...rows].join("\n");
}
