import type { GroupAnswer, MetricAnswer } from "../pipeline/index.js";
import { type LedgerRow, ledgerFields, ledgerValue } from "../store/index.js";
import { countText, groupText, shareText, valueText, windowName } from "./text.js";
import type { WebFiles } from "./web-files.js";
import type { WireFrame } from "./wire.js";

/** Where the dashboard's page takes in the numbers of this moment: as HTML for everybody, as data for its script. */
const summaryMark = "<!--poundlock:summary-->";
const dataMark = "<!--poundlock:data-->";

const barePage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Poundlock</title></head><body><main>${summaryMark}</main>${dataMark}</body></html>`;

/** The dashboard with the current numbers already in it: a reload, a reader without script and a search find them. */
export function dashboardHtml(web: WebFiles | undefined, frame: WireFrame | undefined): string {
  const page = web?.page ?? barePage;
  if (frame === undefined) return page;
  // In a script element only "<" could end it; as an escape inside JSON strings it stays the same data.
  const data = JSON.stringify(frame).replaceAll("<", "\\u003c");
  return page
    .replace(summaryMark, () => summaryHtml(frame))
    .replace(dataMark, () => `<script type="application/json" id="first-frame">${data}</script>`);
}

/** Shown instead of the dashboard to whoever has not yet given the token; tells nothing about the data. */
export function signInHtml(web: WebFiles | undefined, isRefused = false): string {
  const refusal = isRefused ? '<p role="alert">That is not the token of this server.</p>' : "";
  const style =
    web === undefined
      ? ""
      : '<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/app.css"><script type="module" src="/app.js"></script>';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Poundlock: sign in</title>${style}</head>
<body class="sign-in"><main><h1>Poundlock</h1><form method="post" action="/session">
<label for="token">Token of this server</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
${refusal}<button>Sign in</button></form>
<p>It is in <code>.poundlock/run.json</code> beside the server, or where the server's configuration says.</p></main></body></html>`;
}

function summaryHtml(frame: WireFrame): string {
  const { parts } = frame;
  const answers = (parts.metrics ?? []).flatMap(({ name }) => parts[`answer:${name}`] ?? []);
  const at = new Date(frame.nowMs).toISOString();
  return `<p>As of <time datetime="${at}">${at}</time>, ${
    frame.windowMs === null ? "since the beginning" : `over ${windowName(frame.windowMs)}`
  }. This page updates itself where scripts are allowed.</p>
<section><h2>Ledger</h2>${ledgerHtml(parts.ledger ?? [])}</section>
${answers.map(answerHtml).join("\n")}
<section><h2>Dead letters</h2><p>${countText(parts.dead?.total)} kept</p></section>`;
}

function ledgerHtml(rows: readonly LedgerRow[]): string {
  if (rows.length === 0) return "<p>No source has had an event yet.</p>";
  const head = ["source", ...ledgerFields].map((name) => `<th scope="col">${name}</th>`).join("");
  const body = rows.map((row) => {
    const numbers = ledgerFields.map((field) => ledgerValue(row, field));
    return `<tr><th scope="row">${escapeHtml(row.source)}</th>${numbers.map((n) => `<td>${countText(n)}</td>`).join("")}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

function answerHtml(answer: MetricAnswer): string {
  const rows = [...(answer.by.length === 0 ? [] : answer.groups), answer.all];
  const columns = answer.kind === "distribution" ? ["n", "p50", "p95", "p99"] : [answer.kind];
  const head = ["group", ...columns].map((name) => `<th scope="col">${name}</th>`).join("");
  const body = rows.map((group) => {
    const name = group === answer.all ? "all" : groupText(group.by);
    return `<tr><th scope="row">${escapeHtml(name)}</th>${numbersOf(answer, group)
      .map((text) => `<td>${escapeHtml(text)}</td>`)
      .join("")}</tr>`;
  });
  const more = answer.groupsLeftOut > 0 ? `<p>and ${countText(answer.groupsLeftOut)} more groups</p>` : "";
  return `<section><h2>${escapeHtml(answer.name)}</h2><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join(
    "",
  )}</tbody></table></div>${more}</section>`;
}

function numbersOf({ kind, unit }: MetricAnswer, group: GroupAnswer): string[] {
  switch (kind) {
    case "distribution":
      return [
        countText(group.n),
        ...[group.p50, group.p95, group.p99].map((value) => valueText(value, unit)),
      ];
    case "ratio":
      return [shareText(group.value)];
    case "count":
      return [countText(group.value)];
    default:
      return [valueText(group.value, kind === "rate" ? "/s" : unit)];
  }
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
