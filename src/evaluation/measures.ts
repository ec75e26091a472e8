/**
 * The metrics of a run that have a value per case, each ready to be called on a list. Called by `judge.ts`.
 */
import { ConfigError } from "../core/errors.js";
import type { ShownList, WholeRanking } from "./metric.js";
import type { MetricContext } from "./metric-context.js";
import type { MetricAtK } from "./metrics.js";

export interface Measure {
  label: string;
  /** Looks at the ranking of all items, not only at the first k. */
  whole: boolean;
  /** `list.k` and `list.items` are set by the measure itself. */
  value(list: ShownList, ranking: WholeRanking): number;
}

/** Leaves out catalogue metrics; throws ConfigError for metrics of ratings and for missing context. */
export function createMeasures(wanted: readonly MetricAtK[], context: MetricContext): Measure[] {
  return wanted.map((one) => measureOf(one, context)).filter((measure) => measure !== undefined);
}

function measureOf({ label, metric, k }: MetricAtK, context: MetricContext): Measure | undefined {
  switch (metric.of) {
    case "query":
      return { label, whole: false, value: (list) => metric.value(atK(list, k)) };
    case "list": {
      const value = metric.prepare(context, k);
      return {
        label,
        whole: false,
        value(list, { items }) {
          list.items = items.length > k ? items.subarray(0, k) : items;
          return value(atK(list, k));
        },
      };
    }
    case "ranking":
      return { label, whole: true, value: (_, ranking) => metric.value(ranking) };
    case "catalogue":
      return undefined;
    case "rating":
      throw new ConfigError(`The metric ${label} compares predicted with true values, not lists.`, {
        hint: "Use evaluateRatings or evaluateRatingModel for it.",
        details: { got: label },
      });
  }
}

function atK(list: ShownList, k: number): ShownList {
  list.k = k;
  return list;
}
