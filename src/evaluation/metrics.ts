/**
 * All metrics by name, and the reading of labels such as "ndcg@10".
 */
import { ConfigError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import type { Metric } from "./metric.js";
import { coverage } from "./metrics/coverage.js";
import { hitRate } from "./metrics/hit-rate.js";
import { map } from "./metrics/map.js";
import { mrr } from "./metrics/mrr.js";
import { ndcg } from "./metrics/ndcg.js";
import { precision } from "./metrics/precision.js";
import { recall } from "./metrics/recall.js";
import { recallTruncated } from "./metrics/recall-truncated.js";

const all: readonly Metric[] = [precision, recall, recallTruncated, ndcg, map, mrr, hitRate, coverage];

export function listMetrics(): readonly Metric[] {
  return all;
}

export interface MetricAtK {
  label: string;
  metric: Metric;
  k: number;
}

/** Reads "recall@20"; throws ConfigError on an unknown metric (nearest names) or a missing or wrong k. */
export function parseMetric(label: string): MetricAtK {
  const [name, k, ...rest] = label.split("@");
  const metric = all.find((candidate) => candidate.name === name);
  if (!metric) {
    const known = all.map((candidate) => candidate.name);
    throw new ConfigError(`There is no metric ${JSON.stringify(name)}.`, {
      hint: nameHint(name, known),
      details: { got: label, allowed: known },
    });
  }
  if (rest.length > 0 || !/^[1-9]\d*$/.test(k ?? "")) {
    throw new ConfigError(`The metric ${JSON.stringify(label)} has no list length.`, {
      hint: `Write ${name}@10, say.`,
      details: { got: label },
    });
  }
  return { label, metric, k: Number(k) };
}
