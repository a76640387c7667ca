import type { Page } from "playwright-core";

// What runs in the page is text here, because these files are compiled without a browser's types.
const tools = `
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((p, q) => q - p);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const meaning = (name) => {
    const probe = document.createElement("span");
    probe.style.color = "var(" + name + ")";
    document.body.append(probe);
    const colour = rgb(getComputedStyle(probe).color);
    probe.remove();
    return colour;
  };
`;

async function run<T>(page: Page, body: string): Promise<T> {
  return (await page.evaluate(`(() => { ${tools} ${body} })()`)) as T;
}

/** Texts that differ by less than 4.5:1 from what is behind them (WCAG 1.4.3), and how many were looked at. */
export function weakTexts(page: Page): Promise<{ weak: string[]; count: number }> {
  return run(
    page,
    `const weak = [];
    let count = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent.trim();
      const element = walker.currentNode.parentElement;
      if (text === "" || !element.checkVisibility() || element.closest(".hidden, .skip, script")) continue;
      count += 1;
      const differs = ratio(rgb(getComputedStyle(element).color), behind(element));
      if (differs < 4.5) weak.push(text + " " + differs.toFixed(2));
    }
    return { weak, count };`,
  );
}

/** How much a custom property's colour differs from a card's ground. */
export function contrastOf(page: Page, name: string): Promise<number> {
  return run(page, `return ratio(meaning(${JSON.stringify(name)}), meaning("--surface"));`);
}

/** A custom property's colour at this moment: `r,g,b`. */
export function meaningOf(page: Page, name: string): Promise<string> {
  return run(page, `return meaning(${JSON.stringify(name)}).slice(0, 3).join(",");`);
}

/** Every opaque colour on a metric's chart. */
export async function chartColours(page: Page, metric: string): Promise<ReadonlySet<string>> {
  const colours = await run<string[]>(
    page,
    `const source = document.querySelector('article[data-metric="${metric}"] canvas');
    const copy = document.createElement("canvas");
    copy.width = source.width;
    copy.height = source.height;
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data[i] + "," + data[i + 1] + "," + data[i + 2]);
    return [...seen];`,
  );
  return new Set(colours);
}
