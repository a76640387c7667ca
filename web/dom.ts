type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes and children; `false` and `undefined` leave an attribute out, `true` writes it without a value. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** As `h`, for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === undefined || value === false ? null : value === true ? "" : String(value);
    if (text === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Writes only what differs, so that a selection in the page survives a frame that changes nothing there. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Keeps the children of `parent` equal to `items`, one each, in their order. An element stays the same for the same key, and with it
 * focus, selection and an opened part.
 */
export class KeyedChildren<T, E extends Element> {
  readonly #parent: Element;
  readonly #create: (item: T) => E;
  readonly #update: (element: E, item: T) => void;
  #known = new Map<string, E>();

  constructor(parent: Element, create: (item: T) => E, update: (element: E, item: T) => void) {
    this.#parent = parent;
    this.#create = create;
    this.#update = update;
  }

  set(items: readonly (readonly [key: string, item: T])[]): void {
    const next = new Map<string, E>();
    for (const [key, item] of items) {
      const element = this.#known.get(key) ?? this.#create(item);
      this.#update(element, item);
      next.set(key, element);
    }
    for (const [key, element] of this.#known) if (!next.has(key)) element.remove();
    let at: Element | null = this.#parent.firstElementChild;
    for (const element of next.values()) {
      if (element === at) at = at.nextElementSibling;
      else this.#parent.insertBefore(element, at);
    }
    this.#known = next;
  }
}
