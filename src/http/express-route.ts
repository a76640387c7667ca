/** What is looked at of an Express request. */
export interface ExpressRequestLike {
  baseUrl?: string | undefined;
  route?: { readonly path?: unknown } | undefined;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Where a router is mounted at a place that nothing is known of. */
const somewhere = "(mount)";

/**
 * Tells `found` the template of each route that Express finds for the request, the templates of the routers' mounts before it.
 *
 * Express says the route's own template, but of a mount only what the client sent (`baseUrl` is `/users/42`). So the two are
 * watched as they are set: at that moment `params` are the mount's own, and each value in the path is replaced by its name.
 */
export function watchRoute(request: ExpressRequestLike, found: (template: string) => void): void {
  let baseUrl = request.baseUrl;
  let route = request.route;
  const paramsNow = (): Readonly<Record<string, unknown>> => request.params ?? {};
  // By what the client sent; the same text may be one mount's first and another's then.
  const mounts = new Map<string | undefined, string>([
    ["", ""],
    [undefined, ""],
    [baseUrl, mountTemplate(baseUrl ?? "", paramsNow())],
  ]);
  Object.defineProperty(request, "baseUrl", {
    configurable: true,
    enumerable: true,
    get: () => baseUrl,
    set: (url: string | undefined) => {
      const outer = baseUrl ?? "";
      if (url !== undefined && url.length > outer.length && url.startsWith(outer))
        mounts.set(
          url,
          (mounts.get(outer) ?? somewhere) + mountTemplate(url.slice(outer.length), paramsNow()),
        );
      baseUrl = url;
    },
  });
  Object.defineProperty(request, "route", {
    configurable: true,
    enumerable: true,
    get: () => route,
    set: (next: ExpressRequestLike["route"]) => {
      route = next;
      if (next !== undefined) found(joined(mounts.get(baseUrl) ?? somewhere, pathText(next.path)));
    },
  });
}

/**
 * The path with the parameters' values replaced by their names; never a value of a parameter. Literals are in small letters, because Express
 * takes them in any: else a client could make 2^n templates of one.
 */
export function mountTemplate(path: string, params: Readonly<Record<string, unknown>>): string {
  let segments = path.split("/").map(decoded);
  for (const [name, value] of Object.entries(params)) {
    if (Array.isArray(value)) {
      const text = value.join("/");
      const all = segments.join("/");
      if (!all.includes(text)) return somewhere;
      segments = all.replace(text, () => `*${name}`).split("/");
      continue;
    }
    if (typeof value !== "string" || value === "") continue;
    let at = segments.indexOf(value);
    if (at === -1) at = segments.findIndex((segment) => segment.includes(value));
    if (at === -1) return somewhere;
    segments[at] = segments[at]!.replace(value, () => `:${name}`);
  }
  return segments.map(withSmallLiterals).join("/");
}

function withSmallLiterals(segment: string): string {
  return segment.replace(/([:*][\w$]+)|[^:*]+/g, (text: string, name?: string) => name ?? text.toLowerCase());
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Express refuses such a path; what it is called here does not matter.
    return segment;
  }
}

/** Express takes a text, a regular expression, or several. */
function pathText(path: unknown): string {
  return Array.isArray(path) ? path.map(String).join(",") : String(path ?? "");
}

function joined(mount: string, path: string): string {
  if (path === "/" && mount !== "") return mount;
  return mount + path;
}
