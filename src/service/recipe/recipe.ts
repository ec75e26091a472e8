/**
 * A recipe: one YAML file that says what to read, how to clean and split it, which models to fit and how to judge
 * and serve them. Validated as a whole before any data is read: unknown keys, models, parameters and metrics are
 * ConfigErrors with the path, the line and the nearest name. The format is described in docs/recipes.md.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, isCollection, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { ConfigError, NotFoundError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { parseParams } from "../../core/params.js";
import type { SampleSize } from "../../data/sample-users.js";
import { getModel } from "../../models/registry.js";
import { modelSpace } from "../../tuning/model-space.js";
import { located, oneOf } from "./located.js";
import { checkChoice } from "./recipe-metrics.js";
import { type ParsedRecipe, recipeError, recipeSchema } from "./recipe-schema.js";
import { checkRoutes } from "./route-check.js";
import { type NamedScenario, parseScenarios } from "./scenarios.js";

/** A checked recipe with all defaults filled in. */
export interface Recipe extends Omit<ParsedRecipe, "models" | "evaluation" | "scenarios"> {
  /** Labels are distinct; `params` are complete. */
  models: { name: string; label: string; params: Record<string, unknown> }[];
  /** Of the first scenario, which decides the champion. */
  evaluation: ParsedRecipe["evaluation"] & { choose: string };
  /** Where the recipe names some. */
  scenarios?: NamedScenario[];
  /** Where relative paths start; the recipe's own folder. */
  folder: string;
  /** A smoke run: so much of the data is kept (see service/fast.ts). No key of the file. */
  fast?: SampleSize;
}

/** What the command line may put over a recipe. */
export interface RecipeOverrides {
  file?: string;
  format?: string;
  delimiter?: string;
  /** null = there is no such column. */
  columns?: Record<string, string | null | undefined>;
  timeFormat?: string;
  sheet?: string;
  keepUnknownUsers?: boolean;
  host?: string;
  port?: number;
}

/** Reads and checks a recipe file. Throws NotFoundError (no such file), ConfigError (anything in it that is wrong). */
export async function readRecipe(file: string, overrides: RecipeOverrides = {}): Promise<Recipe> {
  if (!existsSync(file))
    throw new NotFoundError(`There is no recipe ${file}.`, { hint: "Give the path of a .yaml file.", details: { file } });
  return parseRecipe(await readFile(file, "utf8"), { file, overrides });
}

/** The recipe of `npm start -- orders.csv`: recipes/own-file.yaml with the person's file as its source. */
export async function recipeForFile(dataFile: string, overrides: RecipeOverrides = {}): Promise<Recipe> {
  const template = fileURLToPath(new URL("../../../recipes/own-file.yaml", import.meta.url));
  const recipe = await readRecipe(template, { ...overrides, file: resolve(dataFile) });
  return { ...recipe, name: recipeNameOf(dataFile), title: basename(dataFile) };
}

/** The name of a recipe for a data file: the file's without its endings. */
export function recipeNameOf(dataFile: string): string {
  const name = basename(dataFile)
    .replace(/\.gz$/i, "")
    .replace(/\.[^.]+$/, "")
    .replace(/[^A-Za-z0-9_-]+/g, "-");
  return name.replace(/^-+|-+$/g, "") || "data";
}

/** Checks the text of a recipe; `file` names it in errors, and its folder is where relative paths start. */
export function parseRecipe(text: string, { file, overrides = {} }: { file: string; overrides?: RecipeOverrides }): Recipe {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [broken] = document.errors;
  if (broken)
    throw new ConfigError(`${file} is no valid YAML: ${broken.message.trim()}`, { hint: "Correct the line shown.", details: { file } });
  const where = (path: readonly PropertyKey[]) => place(document, lineCounter, { file, path });
  const json = withOverrides(document.toJS() ?? {}, overrides);
  const parsed = recipeSchema.safeParse(json);
  if (!parsed.success) throw recipeError(parsed.error.issues, json, where);
  const recipe = parsed.data;
  const { file: data, generator, sql, catalogue, tables, parameters, passes } = recipe.source;
  if ([data, generator, sql, catalogue].filter((one) => one !== undefined).length !== 1) {
    throw new ConfigError(`${where(["source"])}: a source is either a file, a generator, a query or a catalogue without events.`, {
      hint: "Write one of source.file, source.generator, source.sql and source.catalogue.",
      details: { path: "source" },
    });
  }
  if (catalogue) checkCatalogue(recipe, where);
  if ((sql === undefined) !== (tables === undefined) || (sql === undefined && (parameters ?? passes) !== undefined)) {
    throw new ConfigError(`${where(["source"])}: a query is a file with SQL and the tables it reads.`, {
      hint: "Write source.sql and source.tables together; parameters and passes are for queries only.",
      details: { path: "source.tables" },
    });
  }
  const models = recipe.models.map(({ name, label = name, params }, m) =>
    located(where(["models", m]), () => ({ name, label, params: parseParams(getModel(name).params, params, `Model ${name}`) })),
  );
  const repeated = models.findIndex(({ label }, m) => models.findIndex((other) => other.label === label) < m);
  if (repeated >= 0) {
    throw new ConfigError(`${where(["models", repeated])}: two models are labelled ${models[repeated].label}.`, {
      hint: "Give one of them another label.",
      details: { path: `models.${repeated}` },
    });
  }
  const itemProperties = mappedProperties(recipe);
  const { evaluation, scenarios } = parseScenarios({ ...recipe, itemProperties }, models, where);
  if (recipe.serve.model !== undefined)
    oneOf(
      recipe.serve.model,
      models.map(({ label }) => label),
      where(["serve", "model"]),
    );
  const guessed = !recipe.itemProperties && !recipe.source.catalogue;
  const properties = guessed ? undefined : Object.keys(itemProperties ?? {});
  if (recipe.serve.aliases !== undefined && properties) oneOf(recipe.serve.aliases, properties, where(["serve", "aliases"]));
  checkRoutes(recipe.serve.routes, { models: models.map(({ label }) => label), properties }, where);
  checkTuning(recipe, models, where);
  return { ...recipe, models, evaluation, scenarios, folder: dirname(resolve(file)) };
}

/** A recipe without events: its items are those of a table, and there is nothing to clean, to hold out or to search by. */
function checkCatalogue({ source, clean, itemProperties, features, split }: ParsedRecipe, where: (path: readonly PropertyKey[]) => string) {
  const fail = (path: readonly string[], message: string, hint: string) => {
    throw new ConfigError(`${where(path)}: ${message}.`, { hint, details: { path: path.join(".") } });
  };
  if (features?.items?.file === undefined)
    fail(["source", "catalogue"], "a catalogue without events takes its items from a table", "Name it under features.items.file.");
  const other = Object.keys(source).find((key) => key !== "catalogue" && source[key as keyof typeof source] !== undefined);
  if (other) fail(["source", other], "there are no events to read", "Leave it out, or name the events' file in place of the catalogue.");
  if (itemProperties)
    fail(["itemProperties"], "there is no events' file to take properties from", "Write them under features.items.properties.");
  if (clean.drop.length > 0) fail(["clean", "drop"], "there are no events to drop", "Leave it out.");
  const part = (["test", "validation"] as const).find((name) => split[name]);
  if (part) fail(["split", part], "there are no events to hold out", "Leave the split out.");
}

/** What is shown beside items, wherever its columns are; undefined when it is guessed. */
function mappedProperties({ itemProperties, features }: ParsedRecipe): Readonly<Record<string, string>> | undefined {
  const own = features?.items?.properties;
  return itemProperties || own ? { ...itemProperties, ...own } : undefined;
}

/** Models, metric and search ranges of the `tune` section. */
function checkTuning(
  { itemProperties, tune: { metric, models: wanted = [], space } }: ParsedRecipe,
  models: Recipe["models"],
  where: (path: readonly PropertyKey[]) => string,
): void {
  const labels = models.map(({ label }) => label);
  if (metric !== undefined) located(where(["tune", "metric"]), () => checkChoice(metric, { itemProperties, models }));
  for (const [m, label] of wanted.entries()) oneOf(label, labels, where(["tune", "models", m]));
  for (const [label, narrowed] of Object.entries(space)) {
    if (!labels.includes(label))
      throw new ConfigError(`${where(["tune", "space", label])}: there is no model ${JSON.stringify(label)}.`, {
        hint: nameHint(label, labels),
        details: { path: `tune.space.${label}`, got: label, allowed: labels },
      });
    const { name, params } = models.find((model) => model.label === label)!;
    located(where(["tune", "space", label]), () => modelSpace(getModel(name), { params, narrowed, hasTimestamps: true }));
  }
}

/**
 * The path of `source.file`: as it is when absolute; else the first that exists below the data folder (`--data`, by
 * default $TASTEMAKER_DATA), the recipe's folder, the current folder. Throws NotFoundError listing the places.
 */
export function resolveSourceFile(file: string, { recipeFolder, dataFolder }: { recipeFolder: string; dataFolder?: string }): string {
  const folders = [dataFolder, recipeFolder, process.cwd()].filter((folder) => folder !== undefined);
  const places = isAbsolute(file) ? [file] : [...new Set(folders.map((folder) => resolve(folder, file)))];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new NotFoundError(`There is no file ${file}; looked for ${places.join(", ")}.`, {
    hint: "Give the folder of the data with --data DIR or in TASTEMAKER_DATA, or write the full path.",
    details: { file, allowed: places },
  });
}

function withOverrides(json: unknown, { columns, keepUnknownUsers, host, port, ...source }: RecipeOverrides): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const raw = json as Record<string, Record<string, unknown> | undefined>;
  const over = (given: Record<string, unknown> | undefined, values: Record<string, unknown>) => {
    const set = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    return Object.keys(set).length > 0 ? { ...given, ...set } : given;
  };
  const newColumns = over(raw.source?.columns as Record<string, unknown> | undefined, columns ?? {});
  const merged: Record<string, unknown> = {
    ...raw,
    source: over(raw.source, { ...source, columns: newColumns }),
    clean: over(raw.clean, { keepUnknownUsers }),
    serve: over(raw.serve, { host, port }),
  };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** `file:line: path`; the line of the key, or of the innermost part of the path that is there. */
function place(document: Document, lineCounter: LineCounter, { file, path }: { file: string; path: readonly PropertyKey[] }): string {
  let node: unknown = document.contents;
  let start = 0;
  for (const key of path) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const next = pair?.value ?? (isCollection(node) ? node.get(key, true) : undefined);
    const named = pair?.key ?? next;
    if (!isNode(named)) break;
    start = named.range?.[0] ?? start;
    node = next;
  }
  return [`${file}:${lineCounter.linePos(start).line}`, path.map(String).join(".")].filter((part) => part !== "").join(": ");
}

/** Where a recipe that ships with the package lies. */
export const shippedRecipe = (name: string): string => join(fileURLToPath(new URL("../../../recipes", import.meta.url)), `${name}.yaml`);
