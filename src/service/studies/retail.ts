/**
 * Online Retail, scenario A (Boschetti & Massaron / Packt 2018, TensorFlow deep learning projects, ch. 9):
 * five recommendations for every invoice of the validation month, precision@5 over all invoices, repeated lines of
 * an invoice counted repeatedly, seen items allowed, customers unknown to training answered by popularity.
 */
import { join } from "node:path";
import { z } from "zod";
import { throwIfCancelled } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import { parseParams } from "../../core/params.js";
import { readDataset } from "../../data/readers/read-dataset.js";
import { split } from "../../data/splits.js";
import { type EvaluationCase, evaluateCases } from "../../evaluation/evaluate.js";
import { fit } from "../../models/registry.js";
import type { Study, StudyRun } from "../replicate.js";

const configSchema = z.strictObject({
  file: z.string(),
  drop: z.array(z.strictObject({ reason: z.string(), where: z.string() })),
  columns: z.strictObject({ user: z.string(), item: z.string(), timestamp: z.string(), basket: z.string() }),
  validationFrom: z.iso.date(),
  testFrom: z.iso.date(),
  metric: z.string(),
  models: z.array(
    z.strictObject({
      name: z.string(),
      variant: z.string().optional(),
      params: z.record(z.string(), z.unknown()).default({}),
      seeds: z.array(z.int()).min(1).default([42]),
    }),
  ),
});

type RetailConfig = z.output<typeof configSchema>;

const parseConfig = (config: unknown): RetailConfig => parseParams(configSchema, config, "Study retail, config.yaml");

export const retail: Study = {
  modelNames: (config) => parseConfig(config).models.flatMap(({ name, variant }) => (variant ? [name, variant] : [name])),

  async run({ config, dataFolder, models, signal, onProgress, onMeasurement }: StudyRun) {
    const { metric, ...settings } = parseConfig(config);
    const { train, validation } = await readRetail(join(dataFolder, settings.file), settings, { signal, onProgress });
    const cases = invoiceCases(validation);
    for (const { name, variant, params, seeds } of settings.models) {
      if (models && !models.includes(name) && !(variant && models.includes(variant))) continue;
      const started = performance.now();
      const values: number[] = [];
      for (const seed of seeds) {
        throwIfCancelled(signal);
        const model = await fit(name, train, params, { seed, signal, onProgress });
        const judged = await evaluateCases(model, cases, { metrics: [metric], excludeSeen: false, signal });
        model.dispose();
        values.push(judged[metric]);
      }
      const value = values.reduce((a, b) => a + b, 0) / values.length;
      const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1));
      const seconds = Math.round((performance.now() - started) / 10) / 100;
      onMeasurement({ scenario: "A", model: name, variant, metric, value, ...(seeds.length > 1 ? { sd: spread, seeds } : {}), seconds });
    }
  },
};

/** The article's cleaning and its split into train and validation month; weight 1 per invoice line. */
export async function readRetail(
  file: string,
  { drop, columns, validationFrom, testFrom }: Pick<RetailConfig, "drop" | "columns" | "validationFrom" | "testFrom">,
  progress: Pick<StudyRun, "signal" | "onProgress">,
): Promise<{ train: Interactions; validation: Interactions }> {
  const { interactions } = await readDataset(file, {
    columns: { ...columns, weight: null },
    drop,
    keepUnknownUsers: true,
    itemProperties: {},
    ...progress,
  });
  const { train, test } = split(interactions, { by: "time", at: Date.parse(validationFrom), until: Date.parse(testFrom) });
  return { train, validation: test };
}

/** One case per run of lines with the same invoice, in file order, as the book groups them. */
export function invoiceCases(data: Interactions): EvaluationCase[] {
  const { basket, userIndex, itemIndex, numInteractions } = data;
  const cases: EvaluationCase[] = [];
  for (let start = 0; start < numInteractions; ) {
    let end = start + 1;
    while (end < numInteractions && basket![end] === basket![start]) end++;
    cases.push({ query: { userIndex: userIndex[start] }, relevant: itemIndex.subarray(start, end) });
    start = end;
  }
  return cases;
}
