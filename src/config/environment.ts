/** Where `${NAME}` gets its values. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolation =
  | { readonly kind: "text"; readonly text: string; readonly isChanged: boolean }
  | { readonly kind: "unset"; readonly name: string; readonly index: number; readonly length: number }
  | { readonly kind: "malformed"; readonly index: number; readonly length: number };

const reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in one scalar; `$${` stands for `${`. Like a shell's `:-`, an empty
 * variable counts as unset where there is a default.
 */
export function interpolate(text: string, environment: Environment): Interpolation {
  if (!text.includes("${")) return { kind: "text", text, isChanged: false };
  let result = "";
  let end = 0;
  for (const match of text.matchAll(reference)) {
    const [whole, name, fallback] = match;
    const place = { index: match.index, length: whole.length };
    result += text.slice(end, match.index);
    end = match.index + whole.length;
    if (whole === "$${") {
      result += "${";
      continue;
    }
    if (name === undefined) return { kind: "malformed", ...place };
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const isUsable = value !== undefined && !(value === "" && fallback !== undefined);
    const replacement = isUsable ? value : fallback;
    if (replacement === undefined) return { kind: "unset", name, ...place };
    result += replacement;
  }
  return { kind: "text", text: result + text.slice(end), isChanged: true };
}
