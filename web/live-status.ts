import { spanText } from "../src/server/text.js";
import type { Connection } from "./connection.js";
import { h, setAttributes, setText } from "./dom.js";
import type { PageState } from "./state.js";
import { timeText } from "./times.js";

/** In the header: whether these numbers are live, how old they are, and why they are not. */
export class LiveStatus {
  readonly #state = h("span", { role: "status", class: "live-state" }, "connecting");
  readonly #detail = h("span", { class: "live-detail" });
  readonly element: HTMLElement = h(
    "div",
    { class: "live", "data-live": "connecting" },
    h("span", { class: "live-dot", "aria-hidden": "true" }),
    this.#state,
    " ",
    this.#detail,
  );

  update(connection: Connection, page: PageState): void {
    const { liveness } = connection;
    setAttributes(this.element, { "data-live": liveness.kind });
    document.body.dataset.live = liveness.kind;
    const [state, detail] = this.#texts(connection, page);
    // Screen readers announce the state when it changes, and not the running age.
    setText(this.#state, state);
    setText(this.#detail, detail);
  }

  #texts({ liveness, silentMs }: Connection, page: PageState): [string, string] {
    const shown = page.serverMs === 0 ? "nothing yet" : timeText(page.serverMs, page.nowMs);
    switch (liveness.kind) {
      case "live":
        return ["live", `· ${spanText(Math.round(silentMs / 100) * 100)} ago`];
      case "polling":
        return ["every 5 s", `· ${spanText(silentMs)} ago (${liveness.reason})`];
      case "stale":
        return [`Reconnecting; showing ${shown}`, `· ${liveness.reason}`];
      case "paused":
        return ["paused", "while this page was hidden"];
      case "connecting":
        return ["connecting", `· showing ${shown}`];
    }
  }
}
