import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runHere } from "./child.mjs";

/** What the tests take from the system: the Debian package, and how to see that it, or an equal, is there. */
const needs = [
  {
    package: "chromium",
    isThere: () =>
      process.env.POUNDLOCK_CHROMIUM !== undefined ||
      isOnPath(["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]),
  },
  { package: "fonts-dejavu-core", isThere: () => process.platform !== "linux" || hasFonts() },
  { package: "redis-server", isThere: () => isOnPath(["redis-server", "valkey-server"]) },
  { package: "prometheus", isThere: () => isOnPath(["prometheus"]) },
];

/** What benches compare with; a bench leaves a peer out that is not there. */
const peers = [{ package: "mtail", isThere: () => isOnPath(["mtail"]) }];

/** Installs what the tests need, or says in one line what to install. @returns whether all is there */
export function ensureTestPackages(isRoot = process.getuid?.() === 0) {
  return ensure(needs, "The tests need", isRoot);
}

/** Installs what benches compare with, where that is allowed. */
export function ensureBenchPackages(isRoot = process.getuid?.() === 0) {
  return ensure(peers, "The benches compare with", isRoot);
}

function ensure(wanted, why, isRoot) {
  const isMissing = (need) => !need.isThere();
  let missing = wanted.filter(isMissing);
  if (missing.length > 0 && isRoot && isOnPath(["apt-get"])) {
    aptInstall(missing.map((need) => need.package));
    missing = wanted.filter(isMissing);
  }
  if (missing.length === 0) return true;
  const names = missing.map((need) => need.package).join(" ");
  process.stderr.write(
    `${why} programs that are not here; install them, on Debian with: apt-get install --no-install-recommends ${names}\n`,
  );
  return false;
}

function aptInstall(packages) {
  // RUNLEVEL (System V) and SYSTEMD_OFFLINE keep the packages from starting their servers: tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", SYSTEMD_OFFLINE: "1" };
  const options = { env, stdio: ["ignore", 2, 2] };
  process.stderr.write(`Installing ${packages.join(", ")} …\n`);
  if (runHere("apt-get", ["update", "-qq"], options) !== 0) return;
  runHere("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...packages], options);
}

function isOnPath(names) {
  const dirs = (process.env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  return names.some((name) => dirs.some((dir) => isExecutable(join(dir, name))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasFonts() {
  const dirs = ["/usr/share/fonts", "/usr/local/share/fonts"].filter((dir) => existsSync(dir));
  return dirs.some((dir) =>
    readdirSync(dir, { recursive: true }).some((file) => /\.(?:ttf|otf|ttc)$/.test(file)),
  );
}
