import type { MetricsSnapshot } from "../snapshot.js";
import { renderOpenMetricsText } from "./openmetrics-text.js";
import { renderPrometheusProtobuf } from "./prometheus-protobuf.js";
import { renderPrometheusText } from "./prometheus-text.js";
import type { TextOptions } from "./text-lines.js";

/** One way to write a snapshot, as HTTP names it. */
export interface Format {
  readonly name: "prometheus-text" | "openmetrics-text" | "prometheus-protobuf";
  /** For the answer's Content-Type. */
  readonly contentType: string;
  /** In pieces; texts are encoded as UTF-8. An empty piece is where others may have a turn. */
  render(snapshot: MetricsSnapshot, options?: TextOptions): Iterable<string | Uint8Array>;
}

/** How a client asks for a format. */
export interface FormatRow {
  readonly format: Format;
  readonly mediaType: string;
  /** By name in lower case, what a parameter must be if it is given; others are taken with any value. */
  readonly parameters: ReadonlyMap<string, readonly string[]>;
  /** Parameters that must be given, because the media type means something else without them. */
  readonly required: readonly string[];
}

const openMetrics = (version: string): FormatRow => ({
  format: {
    name: "openmetrics-text",
    contentType: `application/openmetrics-text; version=${version}; charset=utf-8`,
    render: ({ families }, options) => renderOpenMetricsText(families, options),
  },
  mediaType: "application/openmetrics-text",
  parameters: new Map([["version", [version]]]),
  required: [],
});

/**
 * What can be answered. Among rows that a client likes equally the first is taken, so a client that takes anything gets the text
 * that people can read. Version 0.0.1 of OpenMetrics is what Prometheus names besides 1.0.0; its text is the same.
 */
export const formatTable: readonly [FormatRow, ...FormatRow[]] = [
  {
    format: {
      name: "prometheus-text",
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      render: ({ families }, options) => renderPrometheusText(families, options),
    },
    mediaType: "text/plain",
    parameters: new Map([["version", ["0.0.4"]]]),
    required: [],
  },
  openMetrics("1.0.0"),
  { ...openMetrics("0.0.1"), required: ["version"] },
  {
    format: {
      name: "prometheus-protobuf",
      contentType:
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
      render: ({ families }, options) => renderPrometheusProtobuf(families, options),
    },
    mediaType: "application/vnd.google.protobuf",
    parameters: new Map([
      ["proto", ["io.prometheus.client.MetricFamily"]],
      ["encoding", ["delimited"]],
    ]),
    required: ["proto", "encoding"],
  },
];
