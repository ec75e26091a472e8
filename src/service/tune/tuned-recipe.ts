/**
 * Best parameters as YAML: the `models` of a recipe to paste, and a whole tuned recipe beside the original, in which only
 * parameters change and comments stay.
 */
import { readFile } from "node:fs/promises";
import { type Document, isMap, isSeq, parseDocument, stringify } from "yaml";
import { parseParams } from "../../core/params.js";
import type { TrialParams } from "../../core/trials.js";
import { getModel } from "../../models/registry.js";
import { ioErrors, writeFileAtomically } from "../../store/durable-files.js";
import type { Recipe } from "../recipe/recipe.js";

interface Tuned {
  label: string;
  searched: readonly string[];
  best: { params: TrialParams };
}

/** `models:` with the best parameters of those that were tuned; others as they are. */
export function modelsYaml(recipe: Recipe, tuned: readonly Tuned[]): string {
  const models = tunedModels(recipe, tuned).map(({ name, label, params }) => ({
    name,
    ...(label === name ? {} : { label }),
    ...(Object.keys(params).length > 0 ? { params } : {}),
  }));
  return stringify({ models });
}

/** Models with parameters that were searched or differ from the defaults. */
function tunedModels(recipe: Recipe, tuned: readonly Tuned[]): Recipe["models"] {
  return recipe.models.map((model) => {
    const found = tuned.find(({ label }) => label === model.label);
    const params: TrialParams = found?.best.params ?? model.params;
    const defaults = parseParams(getModel(model.name).params, {}, `Model ${model.name}`);
    const told = Object.entries(params).filter(([param, value]) => found?.searched.includes(param) || value !== defaults[param]);
    return { ...model, params: Object.fromEntries(told) };
  });
}

/**
 * Writes the recipe with the best parameters to `target`, replacing what is there. With `original`, the text of that file
 * is kept but for the parameters; otherwise it is made from what the recipe says.
 */
export async function writeTunedRecipe(
  recipe: Recipe,
  tuned: readonly Tuned[],
  { target, original }: { target: string; original?: string },
): Promise<void> {
  const models = tunedModels(recipe, tuned);
  const text =
    original === undefined
      ? stringify(fromRecipe(recipe, models))
      : String(withParams(parseDocument(await ioErrors("read", original, () => readFile(original, "utf8"))), models));
  await writeFileAtomically(target, text);
}

function withParams(document: Document, models: Recipe["models"]): Document {
  const list = document.get("models");
  if (!isSeq(list)) return document;
  models.forEach(({ params }, m) => {
    const entry = list.items[m];
    if (!isMap(entry)) return;
    if (Object.keys(params).length === 0) entry.delete("params");
    else entry.set("params", document.createNode(params, { flow: true }));
  });
  return document;
}

/** What a recipe that was made for a data file says. */
function fromRecipe(
  { name, title, source, clean, itemProperties, features, split, evaluation, seed }: Recipe,
  models: Recipe["models"],
): unknown {
  const said = {
    name,
    title,
    source,
    clean: clean.drop.length > 0 || clean.keepUnknownUsers || clean.weightDefault !== undefined ? clean : undefined,
    itemProperties,
    features,
    split,
    models: models.map((model) => ({
      name: model.name,
      ...(model.label === model.name ? {} : { label: model.label }),
      params: model.params,
    })),
    evaluation,
    seed,
  };
  return JSON.parse(JSON.stringify(said));
}
