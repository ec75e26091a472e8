/**
 * What a recipe leaves behind, below .tastemaker/<recipe>/: generated data, models (a model store) and the results of
 * each run under its fingerprint. A result is written last, so a run that was cut off has none and is done again;
 * leftovers of killed processes are removed by the next run. A damaged result counts as none.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { NotFoundError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { ioErrors, removeLeftovers, writeFileAtomically } from "../store/durable-files.js";
import { type ModelStore, openModelStore } from "../store/model-store.js";
import { servingSchema } from "./recipe/route-schema.js";
import type { RunResult } from "./run-result.js";

export const DEFAULT_WORKSPACE = ".tastemaker";

/** What every reader of a result relies on; a file without it was cut off or written by something else. */
const resultSchema = z.looseObject({
  key: z.string(),
  recipe: z.string(),
  title: z.string(),
  createdAt: z.string(),
  champion: z.string(),
  chosenBy: z.string(),
  excludeSeen: z.boolean(),
  data: z.looseObject({ report: z.looseObject({}) }),
  parts: z.array(z.looseObject({ name: z.string(), description: z.string() })),
  metrics: z.array(z.string()),
  serving: servingSchema.optional(),
  models: z.array(z.looseObject({ label: z.string(), model: z.string(), version: z.string(), metrics: z.looseObject({}) })).min(1),
});

export interface Workspace {
  folder: string;
  models: ModelStore;
  /** Removes what killed processes left; call it before writing. */
  clean(): Promise<number>;
  /** Path of a data file of this workspace, written when it is not there with exactly these contents. */
  dataFile(name: string, contents: string): Promise<string>;
  /** The result under `key`, when it is there, whole, and with at least one of its models. */
  readRun(key: string): Promise<RunResult | undefined>;
  /** Writes a result; from then on the run counts as done. */
  writeRun(result: RunResult): Promise<void>;
}

/** The workspace of one recipe; its folder is created by the first write. */
export function openWorkspace(root: string = DEFAULT_WORKSPACE, recipe: string): Workspace {
  return workspaceAt(resolve(root, recipe));
}

/** The workspace in `folder` (absolute). */
export function workspaceAt(folder: string): Workspace {
  const models = openModelStore(join(folder, "models"));
  const runFile = (key: string) => join(folder, "runs", `${key}.json`);
  return {
    folder,
    models,
    clean: () => removeLeftovers(folder),

    async dataFile(name, contents) {
      const file = join(folder, "data", name);
      if (!existsSync(file) || (await readText(file)) !== contents) await writeFileAtomically(file, contents);
      return file;
    },

    async readRun(key) {
      if (!existsSync(runFile(key))) return undefined;
      const result = parseResult(await readText(runFile(key)));
      const usable = result?.models.some(({ label, version }) => existsSync(join(models.root, label, version!)));
      return usable ? result : undefined;
    },

    async writeRun(result) {
      await writeFileAtomically(runFile(result.key), `${JSON.stringify(result, undefined, 2)}\n`);
    },
  };
}

/** Names of the recipes that have a workspace below `root`. */
export async function listWorkspaces(root: string = DEFAULT_WORKSPACE): Promise<string[]> {
  const folder = resolve(root);
  if (!existsSync(folder)) return [];
  const entries = await ioErrors("read", folder, () => readdir(folder, { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
}

/**
 * The newest run of a recipe, or of all recipes; smoke runs (`--fast`) of other recipes only where there is nothing else.
 * Throws NotFoundError when nothing was trained yet.
 */
export async function latestRun(root: string = DEFAULT_WORKSPACE, recipe?: string): Promise<KeptRun> {
  const known = await listWorkspaces(root);
  if (recipe !== undefined && !known.includes(recipe))
    throw new NotFoundError(`Nothing was trained for the recipe ${JSON.stringify(recipe)}.`, {
      hint: nameHint(recipe, known),
      details: { got: recipe, allowed: known },
    });
  const found = await runsOf((recipe === undefined ? known : [recipe]).map((name) => openWorkspace(root, name)));
  const inFull = ({ result }: KeptRun) => (result.fast ? 0 : 1);
  const latest = found.sort((a, b) => inFull(a) - inFull(b) || a.result.createdAt.localeCompare(b.result.createdAt)).at(-1);
  if (latest) return latest;
  throw new NotFoundError(`Nothing was trained yet in ${resolve(root)}.`, {
    hint: "Run `tastemaker run <recipe.yaml | data file>` first.",
  });
}

/** The newest run of some workspaces. */
export async function newestRun(workspaces: readonly Workspace[]): Promise<KeptRun | undefined> {
  return (await runsOf(workspaces)).sort((a, b) => a.result.createdAt.localeCompare(b.result.createdAt)).at(-1);
}

/** A run and the workspace that keeps it. */
export interface KeptRun {
  workspace: Workspace;
  result: RunResult;
}

async function runsOf(workspaces: readonly Workspace[]): Promise<KeptRun[]> {
  const found: KeptRun[] = [];
  for (const workspace of workspaces) {
    const runs = join(workspace.folder, "runs");
    const files = existsSync(runs)
      ? (await ioErrors("read", runs, () => readdir(runs))).filter((file) => /^[0-9a-f]+\.json$/.test(file))
      : [];
    for (const file of files) {
      const result = await workspace.readRun(file.slice(0, -".json".length));
      if (result) found.push({ workspace, result });
    }
  }
  return found;
}

/** The result in the text of its file, or undefined when it was cut off or is something else. */
export function parseResult(text: string): RunResult | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return resultSchema.safeParse(json).success ? (json as RunResult) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function readText(file: string): Promise<string> {
  return ioErrors("read", file, () => readFile(file, "utf8"));
}
