/**
 * Replicates published numbers: each study is a folder of replication/ with config.yaml (data, split, models) and
 * expected.json (published values, targets and their sources). Results come out one by one, judged by tolerance.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { ConfigError, NotFoundError } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import { nameHint } from "../core/nearest-names.js";
import { parseParams } from "../core/params.js";
import { beauty } from "./studies/beauty.js";
import { movielens } from "./studies/movielens.js";
import { retail } from "./studies/retail.js";
import { runScenario } from "./studies/run-scenario.js";
import type { Scenario, Study, StudyData, StudyMeasurement, StudyResult } from "./studies/study.js";

export type { StudyResult } from "./studies/study.js";

const studies: Record<string, Study> = { retail, "movielens-100k": movielens, beauty };

const expectedSchema = z.array(
  z.strictObject({
    scenario: z.string().optional(),
    model: z.string(),
    variant: z.string().optional(),
    segment: z.string().optional(),
    metric: z.string(),
    published: z.number().optional(),
    source: z.string(),
    /** The value must be within `tolerance` of it … */
    equals: z.number().optional(),
    tolerance: z.number().optional(),
    /** … or at least this, or at most. */
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
  }),
);

export function listStudies(): string[] {
  return Object.keys(studies);
}

export interface ReplicateOptions {
  models?: readonly string[];
  /** The folder that holds the data sets. */
  dataFolder: string;
  /** Where networks are trained: cpu (default), cuda, webgpu … */
  device?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onResult: (result: StudyResult) => void;
}

/** Runs a study. Throws NotFoundError for an unknown study, model or data file. */
export async function replicateStudy(name: string, { models, device, onResult, ...run }: ReplicateOptions): Promise<void> {
  const { study, folder, config } = await openStudy(name);
  const expected = parseParams(
    expectedSchema,
    JSON.parse(await readText(new URL("expected.json", folder))),
    `Study ${name}, expected.json`,
  );
  const known = study.modelNames(config);
  const unknown = models?.find((model) => !known.includes(model));
  if (unknown !== undefined)
    throw new NotFoundError(`The study ${name} has no model ${JSON.stringify(unknown)}.`, { hint: nameHint(unknown, known) });
  const onMeasurement = (measurement: StudyMeasurement) => {
    const target = expected.find((one) =>
      (["scenario", "model", "variant", "segment", "metric"] as const).every((key) => one[key] === measurement[key]),
    );
    onResult({
      study: name,
      ...measurement,
      published: target?.published,
      source: target?.source,
      verdict: verdictOf(measurement.value, target),
    });
  };
  const { signal, onProgress } = run;
  for (const scenario of study.scenarios({ ...run, config }))
    await runScenario(scenario, { models: models?.length ? models : undefined, onMeasurement, device, signal, onProgress });
}

/** The scenarios of a study, for searching parameters on their validation parts. Throws as `replicateStudy`. */
export async function studyScenarios(name: string, data: Omit<StudyData, "config">): Promise<readonly Scenario[]> {
  const { study, config } = await openStudy(name);
  return study.scenarios({ ...data, config });
}

async function openStudy(name: string) {
  const study = studies[name];
  if (!study) throw new NotFoundError(`There is no study ${JSON.stringify(name)}.`, { hint: nameHint(name, listStudies()) });
  const folder = new URL(`../../replication/${name}/`, import.meta.url);
  return { study, folder, config: parse(await readText(new URL("config.yaml", folder))) as unknown };
}

function verdictOf(value: number, target: z.output<typeof expectedSchema>[number] | undefined): StudyResult["verdict"] {
  if (target?.equals !== undefined) return Math.abs(value - target.equals) <= (target.tolerance ?? 0) ? "reached" : "missed";
  if (target?.atLeast !== undefined) return value >= target.atLeast ? "reached" : "missed";
  if (target?.atMost !== undefined) return value <= target.atMost ? "reached" : "missed";
  return "reported";
}

async function readText(url: URL): Promise<string> {
  try {
    return await readFile(url, "utf8");
  } catch (cause) {
    throw new ConfigError(`The file ${fileURLToPath(url)} cannot be read.`, { hint: "Install the package again.", cause });
  }
}
