/** One element of an Accept header. */
export interface MediaRange {
  /** In lower case, such as `text/plain`, `text/*` and `*` + `/*`. */
  readonly mediaType: string;
  /** Names in lower case, without `q`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0..1; at 0 it is refused. */
  readonly quality: number;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const typePattern = new RegExp(`[ \\t]*(${token})/(${token})[ \\t]*`, "y");
const parameterPattern = new RegExp(
  `;[ \\t]*(?:(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*)?`,
  "y",
);
const qualityPattern = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;

/** The elements of an Accept header (RFC 9110, section 12.5.1) in their order; what is malformed is left out. */
export function parseAccept(header: string): MediaRange[] {
  return splitElements(header).flatMap((element) => parseRange(element) ?? []);
}

/** At commas outside quotes; a quote that is never closed reaches to the end. */
function splitElements(header: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < header.length; at += 1) {
    const char = header[at];
    if (isQuoted && char === "\\") at += 1;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === "," && !isQuoted) {
      elements.push(header.slice(start, at));
      start = at + 1;
    }
  }
  return [...elements, header.slice(start)];
}

function parseRange(element: string): MediaRange | undefined {
  typePattern.lastIndex = 0;
  const type = typePattern.exec(element);
  if (type === null) return undefined;
  const mediaType = `${type[1]}/${type[2]}`.toLowerCase();
  if (mediaType.startsWith("*/") && mediaType !== "*/*") return undefined;
  const parameters = new Map<string, string>();
  let end = typePattern.lastIndex;
  while (end < element.length) {
    parameterPattern.lastIndex = end;
    const match = parameterPattern.exec(element);
    if (match === null) return undefined;
    end = parameterPattern.lastIndex;
    const [, name, bare, quoted] = match;
    if (name !== undefined)
      parameters.set(name.toLowerCase(), bare ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
  }
  const quality = parameters.get("q") ?? "1";
  if (!qualityPattern.test(quality)) return undefined;
  parameters.delete("q");
  return { mediaType, parameters, quality: Number(quality) };
}
