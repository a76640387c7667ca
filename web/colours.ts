import { h } from "./dom.js";

let probe: HTMLElement | undefined;

/**
 * The colour that a custom property means at this moment. Canvas understands no `light-dark()`, so an element resolves it. Asked at each
 * drawing, because the system may change between light and dark at any time.
 */
export function colour(property: string): string {
  if (probe === undefined) {
    probe = h("span", { class: "hidden", "aria-hidden": "true" });
    document.body.append(probe);
  }
  probe.style.color = `var(${property})`;
  return getComputedStyle(probe).color;
}

const onSchemeChange = new Set<() => void>();
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  window.matchMedia(query).addEventListener("change", () => {
    for (const run of onSchemeChange) run();
  });
}

/** Calls `run` when the system changes between light and dark. */
export function whenSchemeChanges(run: () => void): void {
  onSchemeChange.add(run);
}
