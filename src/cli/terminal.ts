import type { Writable } from "node:stream";

export type ColorMode = "auto" | "always" | "never";
export type ProgressMode = "auto" | "tty" | "plain" | "none";

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface TerminalOptions {
  readonly out: Output;
  readonly err: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

const styles: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  cyan: [36, 39],
};

/** Narrower than this, tables drop columns until nothing but the numbers is left. */
const columnsMin = 40;
const columnsDefault = 80;

/** Where a command writes: data to `print`, everything else to `say`. */
export class Terminal {
  readonly #out: Output;
  readonly #err: Output;
  readonly #environment: TerminalOptions["environment"];
  #color: ColorMode = "auto";

  constructor(options: TerminalOptions) {
    this.#out = options.out;
    this.#err = options.err;
    this.#environment = options.environment;
  }

  set color(mode: ColorMode) {
    this.#color = mode;
  }

  /** Data: stdout. Resolves when the stream can take more, so that a slow reader of a large answer costs no memory. */
  print(text: string): Promise<void> {
    if (this.#out.write(`${text}\n`)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#out.once("drain", resolve);
      this.#out.once("close", resolve);
    });
  }

  /** Data as it stands, such as a help text with its own line ends. */
  printPart(text: string): void {
    this.#out.write(text);
  }

  /** Everything that is no data: stderr. */
  say(text: string): void {
    this.#err.write(`${text}\n`);
  }

  /** To stderr without a line end, for a line that is painted again. */
  paint(text: string): void {
    this.#err.write(text);
  }

  get isErrTerminal(): boolean {
    return this.#err.isTTY === true && this.#environment.TERM !== "dumb";
  }

  /** Width to fill: `COLUMNS`, else the terminal's, else 80. */
  get columns(): number {
    const asked = Number(this.#environment.COLUMNS);
    if (Number.isInteger(asked) && asked > 0) return Math.max(columnsMin, asked);
    // A terminal that does not know its width says 0.
    return Math.max(columnsMin, this.#out.columns || columnsDefault);
  }

  get errColumns(): number {
    return Math.max(columnsMin, this.#err.columns || columnsDefault);
  }

  /** Styles text for stdout, or leaves it as it is where colours are not wanted. */
  style(style: Style, text: string): string {
    return this.#isColored(this.#out) ? wrap(style, text) : text;
  }

  /** The same for stderr, which may be a terminal when stdout is not. */
  styleErr(style: Style, text: string): string {
    return this.#isColored(this.#err) ? wrap(style, text) : text;
  }

  #isColored(stream: Output): boolean {
    if (this.#color !== "auto") return this.#color === "always";
    const { NO_COLOR, FORCE_COLOR, TERM } = this.#environment;
    if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
    if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
    return stream.isTTY === true && TERM !== "dumb";
  }
}

function wrap(style: Style, text: string): string {
  const [on, off] = styles[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
