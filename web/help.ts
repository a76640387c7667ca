import { h } from "./dom.js";

export interface KeyAction {
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
}

/** `?` lists the keys. They are for this page only: none works while typing or with a modifier held. */
export class Help {
  readonly button: HTMLButtonElement = h(
    "button",
    { type: "button", class: "help-button", "aria-label": "Keys", title: "Keys (?)" },
    "?",
  );
  readonly element: HTMLDialogElement;

  constructor(actions: readonly KeyAction[]) {
    const all = [
      ...actions.map(({ key, does }) => [key, does] as const),
      ["← →", "read a chart that has the focus"],
      ["Esc", "close"],
    ] as const;
    const list = h(
      "dl",
      { class: "keys" },
      ...all.flatMap(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)]),
    );
    const close = h("button", { type: "button", class: "close" }, "Close");
    this.element = h(
      "dialog",
      { "aria-labelledby": "help-heading" },
      h("header", { class: "dialog-head" }, h("h3", { id: "help-heading" }, "Keys"), close),
      list,
    );
    close.addEventListener("click", () => this.element.close());
    this.button.addEventListener("click", () => this.element.showModal());
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const action =
        event.key === "?"
          ? () => this.element.showModal()
          : actions.find(({ key }) => key === event.key)?.run;
      if (action === undefined) return;
      event.preventDefault();
      action();
    });
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== "radio";
}
