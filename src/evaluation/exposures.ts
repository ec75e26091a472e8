/**
 * How often each item was shown, for metrics of the whole run (coverage, gini), and the same without one group of users in turn:
 * the jackknife that gives these figures an interval. Called by `judge.ts`.
 */
import type { MetricAtK } from "./metrics.js";

/** Groups of the jackknife. Cluster c belongs to group c mod GROUPS. */
const GROUPS = 20;

export interface Exposures {
  add(c: number, items: Int32Array): void;
  figures(named: (label: string) => string): { catalogue: Record<string, number>; catalogueWithout: Record<string, Float64Array> };
}

export interface ExposureOptions {
  numItems: number;
  numCases: number;
  cluster: Int32Array | undefined;
}

/** Holds 20 counts per item and list length. */
export function createExposures(wanted: readonly MetricAtK[], { numItems, numCases, cluster }: ExposureOptions): Exposures {
  const numGroups = Math.min(GROUPS, cluster ? cluster.reduce((max, c) => Math.max(max, c), 0) + 1 : numCases);
  const metrics = wanted.flatMap(({ label, metric, k }) => (metric.of === "catalogue" ? [{ label, metric, k }] : []));
  const countsAt = new Map(metrics.map(({ k }) => [k, new Int32Array(numGroups * numItems)]));
  return {
    add(c, items) {
      const at = ((cluster ? cluster[c] : c) % numGroups) * numItems;
      for (const [k, counts] of countsAt) for (let r = 0; r < k && r < items.length; r++) counts[at + items[r]]++;
    },
    figures(named) {
      const catalogue: Record<string, number> = {};
      const catalogueWithout: Record<string, Float64Array> = {};
      for (const { label, metric, k } of metrics) {
        const counts = countsAt.get(k)!;
        const total = new Int32Array(numItems);
        for (let i = 0; i < counts.length; i++) total[i % numItems] += counts[i];
        catalogue[named(label)] = metric.value(total);
        catalogueWithout[named(label)] = Float64Array.from({ length: numGroups }, (_, g) =>
          metric.value(total.map((count, item) => count - counts[g * numItems + item])),
        );
      }
      return { catalogue, catalogueWithout };
    },
  };
}
