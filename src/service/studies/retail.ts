/**
 * Online Retail (Boschetti & Massaron, Packt 2018, TensorFlow deep learning projects, ch. 9).
 * Scenario A: five items for every invoice of a month, precision@5 over all invoices, repeated lines counted repeatedly.
 * Scenario B: before every line of an invoice five items, accuracy@5 of that line; only earlier lines are visible, and
 * items already on the invoice are not recommended again. Unknown customers are answered by popularity.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Interactions } from "../../core/interactions.js";
import type { HistoryEvent } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import { readDataset } from "../../data/readers/read-dataset.js";
import { split } from "../../data/splits.js";
import { type EvaluationCase, judgeCases } from "../../evaluation/evaluate.js";
import { createExactSum } from "../../evaluation/exact-sum.js";
import { fit } from "../../models/registry.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { Study, StudyRun } from "./study.js";
import { measure, modelNames, type SegmentValues, studyModelSchema, wantedModels } from "./study-models.js";

const configSchema = z.strictObject({
  file: z.string(),
  drop: z.array(z.strictObject({ reason: z.string(), where: z.string() })),
  columns: z.strictObject({ user: z.string(), item: z.string(), timestamp: z.string(), basket: z.string() }),
  validationFrom: z.iso.date(),
  testFrom: z.iso.date(),
  scenarios: z.strictObject({
    A: z.array(studyModelSchema),
    B: z.array(studyModelSchema.extend({ foldIn: z.boolean().default(false) })),
  }),
});

type RetailConfig = z.output<typeof configSchema>;
type Months = { train: Interactions; judged: Interactions };

const parseConfig = (config: unknown): RetailConfig => parseParams(configSchema, config, "Study retail, config.yaml");

export const retail: Study = {
  modelNames: (config) => modelNames(Object.values(parseConfig(config).scenarios).flat()),

  async run({ config, dataFolder, models, signal, onProgress, onMeasurement }: StudyRun) {
    const { scenarios, ...settings } = parseConfig(config);
    const { train, validation, test, beforeTest } = await readRetail(join(dataFolder, settings.file), settings, { signal, onProgress });
    // Everything is fixed on the first month; the second is reported once, after a refit on all that precedes it.
    const parts = [
      { suffix: "", months: { train, judged: validation } },
      ...(test ? [{ suffix: " (test month)", months: { train: beforeTest, judged: test } }] : []),
    ];
    for (const { suffix, months } of parts) {
      const invoices = invoiceCases(months.judged);
      for (const entry of wantedModels(scenarios.A, models)) {
        const results = await measure(entry, { scenario: `A${suffix}`, metric: "precision@5", signal }, async (seed) => {
          const model = await fit(entry.name, months.train, entry.params, { seed, signal, onProgress });
          return segmentMeans(model, invoices, { label: "precision@5", signal });
        });
        results.forEach(onMeasurement);
      }
      for (const entry of wantedModels(scenarios.B, models)) {
        const lines = lineCases(months, entry.foldIn);
        const results = await measure(entry, { scenario: `B${suffix}`, metric: "accuracy@5", signal }, async (seed) => {
          const model = await fit(entry.name, months.train, entry.params, { seed, signal, onProgress });
          return segmentMeans(model, lines, { label: "accuracy@5", signal });
        });
        results.forEach(onMeasurement);
      }
    }
  },
};

/** The article's cleaning and months; weight 1 per invoice line. `test` is absent when nothing follows `testFrom`. */
export async function readRetail(
  file: string,
  { drop, columns, validationFrom, testFrom }: Pick<RetailConfig, "drop" | "columns" | "validationFrom" | "testFrom">,
  progress: Pick<StudyRun, "signal" | "onProgress">,
): Promise<{ train: Interactions; validation: Interactions; test: Interactions; beforeTest: Interactions }> {
  const { interactions } = await readDataset(file, {
    columns: { ...columns, weight: null },
    drop,
    keepUnknownUsers: true,
    itemProperties: {},
    ...progress,
  });
  const { train, test: validation } = split(interactions, { by: "time", at: Date.parse(validationFrom), until: Date.parse(testFrom) });
  const { train: beforeTest, test } = split(interactions, { by: "time", at: Date.parse(testFrom) });
  return { train, validation, test, beforeTest };
}

/** One case per run of lines with the same invoice, in file order, as the book groups them. */
export function invoiceCases(data: Interactions): EvaluationCase[] {
  return invoices(data).map(({ start, end }) => ({
    query: { userIndex: data.userIndex[start] },
    relevant: data.itemIndex.subarray(start, end),
  }));
}

/**
 * One case per line: the customer, the earlier lines of the invoice, and the line's item as the answer.
 * With `foldIn` the query carries the customer's purchases of training and the earlier lines as a history.
 */
function lineCases({ train, judged }: Months, foldIn: boolean): EvaluationCase[] {
  const { offsets, indices, values } = train.matrixByUser();
  const cases: EvaluationCase[] = [];
  for (const { start, end } of invoices(judged)) {
    const userIndex = judged.userIndex[start];
    const past: HistoryEvent[] = [];
    if (foldIn && userIndex >= 0) {
      for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) past.push({ itemIndex: indices[e], weight: values[e] });
    }
    for (let line = start; line < end; line++) {
      const basket = Array.from(judged.itemIndex.subarray(start, line));
      const history = foldIn ? [...past, ...basket.map((itemIndex) => ({ itemIndex }))] : undefined;
      cases.push({ query: { userIndex, basket, history }, relevant: judged.itemIndex.subarray(line, line + 1) });
    }
  }
  return cases;
}

function invoices({ basket, numInteractions }: Interactions): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (let start = 0; start < numInteractions; ) {
    let end = start + 1;
    while (end < numInteractions && basket![end] === basket![start]) end++;
    runs.push({ start, end });
    start = end;
  }
  return runs;
}

/** Mean over all cases, over those with a customer number, and over those without. */
async function segmentMeans(
  model: Recommender,
  cases: readonly EvaluationCase[],
  { label, signal }: { label: string; signal: AbortSignal | undefined },
): Promise<SegmentValues> {
  const { values } = await judgeCases(model, cases, { metrics: [label], excludeSeen: false, signal });
  model.dispose();
  const mean = (keep: (one: EvaluationCase) => boolean) => {
    const sum = createExactSum();
    let kept = 0;
    values[label].forEach((value, c) => {
      if (!keep(cases[c])) return;
      sum.add(value);
      kept++;
    });
    return sum.value() / kept;
  };
  const known = ({ query }: EvaluationCase) => query.userIndex !== -1;
  return { "": mean(() => true), identified: mean(known), anonymous: mean((one) => !known(one)) };
}
