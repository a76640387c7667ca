/**
 * Says what keeps a text from being JSON, as "expected … at column n, found …"; undefined when it is JSON.
 * Engines word this differently and often without a place, so this reads the grammar of RFC 8259 again, without recursion.
 */
export function findJsonFault(text: string): string | undefined {
  return new FaultFinder(text).find();
}

const literals = ["true", "false", "null"];
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What a number may begin with and yet not be complete. */
const numberStart = /-?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][+-]?)?/y;
const stringBody = /[^"\\\u0000-\u001f]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class FaultFinder {
  readonly #text: string;
  /** The closing bracket of each open object or array, the outermost first. */
  readonly #closers: ("}" | "]")[] = [];
  #at = 0;
  #fault: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  find(): string | undefined {
    while (this.#fault === undefined) {
      this.#skipSpace();
      if (this.#openOrScalar()) continue;
      if (!this.#closeOrNext()) break;
    }
    return this.#fault;
  }

  /** Reads the start of a value; true when a bracket was opened that is not empty, so that a value comes next. */
  #openOrScalar(): boolean {
    const char = this.#text[this.#at];
    if (char === "{" || char === "[") {
      this.#at += 1;
      this.#skipSpace();
      const closer = char === "{" ? "}" : "]";
      if (this.#text[this.#at] !== closer) {
        this.#closers.push(closer);
        if (closer === "}") this.#key('a key in quotes or "}"');
        return true;
      }
      this.#at += 1;
    } else this.#scalar();
    return false;
  }

  /** After a value: closes what ends here; true when another value comes next, false at the end or a fault. */
  #closeOrNext(): boolean {
    while (this.#fault === undefined) {
      this.#skipSpace();
      const closer = this.#closers.at(-1);
      const char = this.#text[this.#at];
      if (closer === undefined) {
        if (char !== undefined) this.#expect("the end of the line");
        return false;
      }
      if (char === ",") {
        this.#at += 1;
        this.#skipSpace();
        if (closer === "}") this.#key("a key in quotes");
        return this.#fault === undefined;
      }
      if (char !== closer) {
        this.#expect(`"," or "${closer}"`);
        return false;
      }
      this.#closers.pop();
      this.#at += 1;
    }
    return false;
  }

  #key(expected: string): void {
    if (this.#text[this.#at] === '"') this.#string();
    else this.#expect(expected);
    if (this.#fault !== undefined) return;
    this.#skipSpace();
    if (this.#text[this.#at] === ":") this.#at += 1;
    else this.#expect('":"');
  }

  #scalar(): void {
    const char = this.#text[this.#at] ?? "";
    const literal = literals.find((word) => this.#text.startsWith(word, this.#at));
    if (literal !== undefined) this.#at += literal.length;
    else if (char === '"') this.#string();
    else if (char === "-" || (char >= "0" && char <= "9")) this.#number();
    else this.#expect("a value");
  }

  #number(): void {
    const length = this.#match(number);
    const begun = this.#match(numberStart);
    this.#at += Math.max(length, begun);
    if (length === 0 || begun > length) this.#expect("a digit");
  }

  #string(): void {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      this.#at += this.#match(stringBody);
      const char = this.#text[this.#at];
      if (char === '"') {
        this.#at += 1;
        return;
      }
      if (char === undefined) {
        this.#fault = `the string that begins at column ${start + 1} has no end`;
        return;
      }
      const length = char === "\\" ? this.#match(escapeSequence) : 0;
      if (length === 0) {
        this.#fault =
          char === "\\"
            ? `bad escape in a string at column ${this.#at + 1}`
            : `${name(char)} in a string at column ${this.#at + 1}`;
        return;
      }
      this.#at += length;
    }
  }

  #skipSpace(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at += 1;
  }

  #match(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #expect(what: string): void {
    const char = this.#text[this.#at];
    const found = char === undefined ? "the end of the line" : name(char);
    this.#fault ??= `expected ${what} at column ${this.#at + 1}, found ${found}`;
  }
}

function name(char: string): string {
  const code = char.charCodeAt(0);
  if (code > 0x20 && code < 0x7f) return char === '"' ? "a quote" : `"${char}"`;
  if (code === 0x20) return "a space";
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
