/**
 * The fenced blocks of a Markdown text.
 * @returns {{ info: string, text: string, line: number }[]} `line` is that of the opening fence, from 1
 */
export function blocksOf(markdown) {
  const blocks = [];
  let open;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^ {0,3}(`{3,}|~{3,})\s*(.*)$/.exec(line);
    if (open === undefined && fence !== null)
      open = { fence: fence[1], info: fence[2].trim(), lines: [], line: index + 1 };
    else if (
      open !== undefined &&
      line.trim().startsWith(open.fence) &&
      line.trim() === line.trim()[0].repeat(line.trim().length)
    ) {
      blocks.push({ info: open.info, text: `${open.lines.join("\n")}\n`, line: open.line });
      open = undefined;
    } else open?.lines.push(line);
  }
  return blocks;
}

/** The text with everything in fences and `code` blanked, lines kept, so that links and headings can be looked for. */
export function proseOf(markdown) {
  let fence;
  return markdown
    .split("\n")
    .map((line) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
      if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
        fence = fence === undefined ? mark : undefined;
        return "";
      }
      return fence === undefined ? line.replace(/(`+)(?!`).*?\1/g, (code) => " ".repeat(code.length)) : "";
    })
    .join("\n");
}

/** Targets of links and pictures, with their lines. */
export function linksOf(markdown) {
  const prose = proseOf(markdown);
  const patterns = [
    /\]\(\s*<?([^)\s>]+)>?[^)]*\)/g,
    /^\s*\[[^\]]+\]:\s*(\S+)/gm,
    /<(?:img|a|source)\b[^>]*?(?:src|href|srcset)="([^"]+)"/g,
  ];
  return patterns.flatMap((pattern) =>
    [...prose.matchAll(pattern)].map((match) => ({
      target: match[1],
      line: prose.slice(0, match.index + match[0].search(/\S/)).split("\n").length,
    })),
  );
}

/** The headings' anchors as GitHub makes them: lower case, punctuation dropped, spaces to hyphens, repeats numbered. */
export function anchorsOf(markdown) {
  const seen = new Map();
  return headingsOf(markdown).map(({ text }) => {
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Headings outside fences. */
export function headingsOf(markdown) {
  const isProse = proseOf(markdown)
    .split("\n")
    .map((line) => line.startsWith("#"));
  return markdown.split("\n").flatMap((line, index) => {
    const heading = isProse[index] ? /^(#{1,6})\s+(.*?)\s*#*$/.exec(line) : null;
    return heading === null ? [] : [{ level: heading[1].length, text: heading[2], line: index + 1 }];
  });
}
