import { readFileSync, writeFileSync } from "node:fs";
import { layersAsMarkdown } from "./layers.mjs";
import { inRoot } from "./paths.mjs";

const path = inRoot("ARCHITECTURE.md");
const text = readFileSync(path, "utf8");
const marked = /(<!-- layers:begin[^>]*-->\n+)[\s\S]*?(\n+<!-- layers:end -->)/;
writeFileSync(
  path,
  text.replace(marked, (_, begin, end) => `${begin}${layersAsMarkdown()}${end}`),
);
