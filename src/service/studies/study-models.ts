/** The list of models in a study's config.yaml. */
import { z } from "zod";

export const studyModelSchema = z.strictObject({
  name: z.string(),
  variant: z.string().optional(),
  params: z.record(z.string(), z.unknown()).default({}),
  /** Whether the model is given the side features of the study, where it has some. */
  features: z.boolean().default(true),
  seeds: z.array(z.int()).min(1).default([42]),
});

export type StudyModel = z.output<typeof studyModelSchema>;

/** Names by which `--model` picks: each model and each variant. */
export function modelNames(models: readonly StudyModel[]): string[] {
  return [...new Set(models.flatMap(({ name, variant }) => (variant ? [name, variant] : [name])))];
}

/** The models that `--model` asked for; all when nothing was asked. */
export function wantedModels<Model extends StudyModel>(models: readonly Model[], asked: readonly string[] | undefined): Model[] {
  return models.filter(({ name, variant }) => !asked || asked.includes(name) || (variant !== undefined && asked.includes(variant)));
}

/** Computes once, on first need. */
export function once<Value>(compute: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}
