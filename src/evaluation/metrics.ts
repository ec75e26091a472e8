/**
 * All metrics by name, and the reading of labels such as "ndcg@10" or "auc".
 */
import { ConfigError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import type { Metric } from "./metric.js";
import { accuracy } from "./metrics/accuracy.js";
import { auc } from "./metrics/auc.js";
import { averagePopularity } from "./metrics/average-popularity.js";
import { calibration } from "./metrics/calibration.js";
import { coverage } from "./metrics/coverage.js";
import { diversity } from "./metrics/diversity.js";
import { gini } from "./metrics/gini.js";
import { hitRate } from "./metrics/hit-rate.js";
import { logLoss } from "./metrics/log-loss.js";
import { mae } from "./metrics/mae.js";
import { map } from "./metrics/map.js";
import { mrr } from "./metrics/mrr.js";
import { ndcg } from "./metrics/ndcg.js";
import { novelty } from "./metrics/novelty.js";
import { precision } from "./metrics/precision.js";
import { recall } from "./metrics/recall.js";
import { recallTruncated } from "./metrics/recall-truncated.js";
import { rmse } from "./metrics/rmse.js";
import { serendipity } from "./metrics/serendipity.js";
import { trainRmse } from "./metrics/train-rmse.js";

const ranking: readonly Metric[] = [precision, recall, recallTruncated, ndcg, map, mrr, hitRate, accuracy, auc];
const beyondAccuracy: readonly Metric[] = [coverage, gini, novelty, averagePopularity, diversity, serendipity, calibration];
const ratings: readonly Metric[] = [rmse, mae, logLoss, trainRmse];
const all: readonly Metric[] = [...ranking, ...beyondAccuracy, ...ratings];

export function listMetrics(): readonly Metric[] {
  return all;
}

/** Whether the metric looks at the first k places of a list, so that its label has an @k. */
export function hasListLength(metric: Metric): boolean {
  return metric.of !== "ranking" && metric.of !== "rating";
}

export interface MetricAtK {
  label: string;
  metric: Metric;
  /** 0 where the metric has no list length. */
  k: number;
}

/**
 * Reads "recall@20" or "auc"; throws ConfigError on an unknown metric (nearest names), a missing or wrong k,
 * and a k where there is none.
 */
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
  if (!hasListLength(metric)) {
    if (k === undefined) return { label, metric, k: 0 };
    throw new ConfigError(`The metric ${name} has no list length, but the label is ${JSON.stringify(label)}.`, {
      hint: `Write ${name}.`,
      details: { got: label },
    });
  }
  if (rest.length > 0 || !/^[1-9]\d*$/.test(k ?? "") || !Number.isSafeInteger(Number(k))) {
    throw new ConfigError(`The metric ${JSON.stringify(label)} has no list length.`, {
      hint: `Write ${name}@10, say.`,
      details: { got: label },
    });
  }
  return { label, metric, k: Number(k) };
}
