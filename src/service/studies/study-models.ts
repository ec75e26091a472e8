/**
 * What the studies share: the list of models in a config.yaml, and measuring one of them over its seeds.
 */
import { z } from "zod";
import { throwIfCancelled } from "../../core/errors.js";
import type { StudyMeasurement, StudyRun } from "./study.js";

export const studyModelSchema = z.strictObject({
  name: z.string(),
  variant: z.string().optional(),
  params: z.record(z.string(), z.unknown()).default({}),
  seeds: z.array(z.int()).min(1).default([42]),
});

export type StudyModel = z.output<typeof studyModelSchema>;

/** Names by which `--model` picks: each model and each variant. */
export function modelNames(models: readonly StudyModel[]): string[] {
  return [...new Set(models.flatMap(({ name, variant }) => (variant ? [name, variant] : [name])))];
}

/** The models that `--model` asked for; all when nothing was asked. */
export function wantedModels<Model extends StudyModel>(models: readonly Model[], asked: StudyRun["models"]): Model[] {
  return models.filter(({ name, variant }) => !asked || asked.includes(name) || (variant !== undefined && asked.includes(variant)));
}

/** Values of one seed: the headline under "", segments under their names. */
export type SegmentValues = Record<string, number>;

/** Runs `once` for every seed; one measurement for the headline and one for each segment, mean and sd over seeds. */
export async function measure(
  { name, variant, seeds }: StudyModel,
  { scenario, metric, signal }: { scenario?: string; metric: string; signal: AbortSignal | undefined },
  once: (seed: number) => Promise<SegmentValues>,
): Promise<StudyMeasurement[]> {
  const started = performance.now();
  const runs: SegmentValues[] = [];
  for (const seed of seeds) {
    throwIfCancelled(signal);
    runs.push(await once(seed));
  }
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  return Object.keys(runs[0]).map((segment) => {
    const values = runs.map((run) => run[segment]);
    const value = values.reduce((a, b) => a + b, 0) / values.length;
    const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1));
    return {
      scenario,
      model: name,
      variant,
      ...(segment === "" ? {} : { segment }),
      metric,
      value,
      ...(seeds.length > 1 ? { sd, seeds: [...seeds] } : {}),
      seconds,
    };
  });
}
