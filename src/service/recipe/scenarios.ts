/**
 * The scenarios of a recipe: several ways to ask its models, on the same data and the same held-out parts. A recipe without `scenarios` is
 * one of its own. Checked by recipe.ts; evaluate.ts judges them, the commands with `--scenario` take one out.
 */
import { ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { located, oneOf, type Where } from "./located.js";
import type { Recipe } from "./recipe.js";
import { checkChoice, checkMetric } from "./recipe-metrics.js";
import type { ParsedRecipe } from "./recipe-schema.js";

/** A scenario as a recipe declares it, complete. */
export interface NamedScenario {
  name: string;
  title?: string;
  /** Labels of the models that take part. */
  models: string[];
  evaluation: Recipe["evaluation"];
}

/** A way to ask some models. */
export interface Scenario {
  /** Absent where the recipe names none. */
  name?: string;
  title?: string;
  models: Recipe["models"];
  evaluation: Recipe["evaluation"];
}

/**
 * The scenarios of a parsed recipe, where it names some, and the evaluation that decides the champion: the first one's. What a scenario
 * does not say is taken from the recipe's own `evaluation`. Throws ConfigError with the place.
 */
export function parseScenarios(
  { scenarios, evaluation, itemProperties }: ParsedRecipe,
  models: Recipe["models"],
  where: Where,
): Pick<Recipe, "evaluation" | "scenarios"> {
  if (!scenarios) {
    const complete = { ...evaluation, choose: evaluation.choose ?? evaluation.metrics[0] };
    checkEvaluation(complete, { itemProperties, models }, (path) => where(["evaluation", ...path]));
    return { evaluation: complete };
  }
  const labels = models.map(({ label }) => label);
  const complete = scenarios.map(({ name, title, models: wanted = labels, evaluation: own }, s): NamedScenario => {
    const here: Where = (path) => where(["scenarios", s, ...path]);
    if (scenarios.findIndex((other) => other.name === name) < s)
      throw new ConfigError(`${here(["name"])}: two scenarios are called ${name}.`, { hint: "Give one of them another name." });
    for (const [m, label] of wanted.entries()) oneOf(label, labels, here(["models", m]));
    const metrics = own.metrics ?? evaluation.metrics;
    const choose = own.choose ?? (own.metrics ? undefined : evaluation.choose) ?? metrics[0];
    const said = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    const merged = { ...evaluation, ...said, choose };
    const taking = models.filter(({ label }) => wanted.includes(label));
    checkEvaluation(merged, { itemProperties, models: taking }, (path) => here(["evaluation", ...path]));
    return { name, title, models: wanted, evaluation: merged };
  });
  return { evaluation: complete[0].evaluation, scenarios: complete };
}

function checkEvaluation(
  { metrics, choose, foldIn, questions, baseline }: Recipe["evaluation"],
  needs: Pick<ParsedRecipe, "itemProperties"> & Pick<Recipe, "models">,
  where: Where,
): void {
  for (const [m, metric] of metrics.entries()) located(where(["metrics", m]), () => checkMetric(metric, needs));
  oneOf(choose, metrics, where(["choose"]));
  located(where(["choose"]), () => checkChoice(choose, needs));
  const labels = needs.models.map(({ label }) => label);
  for (const [f, label] of foldIn.entries()) oneOf(label, labels, where(["foldIn", f]));
  if (baseline !== undefined) oneOf(baseline, labels, where(["baseline"]));
  if (foldIn.length > 0 && questions !== "line")
    throw new ConfigError(`${where(["foldIn"])}: only questions about lines are asked with a history.`, {
      hint: "Write questions: line, or leave foldIn out.",
      details: { path: "evaluation.foldIn" },
    });
}

/** All scenarios; a recipe that names none is one itself. */
export function scenariosOf({ models, evaluation, scenarios }: Recipe): Scenario[] {
  if (!scenarios) return [{ models, evaluation }];
  return scenarios.map((scenario) => ({ ...scenario, models: models.filter(({ label }) => scenario.models.includes(label)) }));
}

/** The recipe with one scenario alone: that of the name, or the first. Throws ConfigError for a name that it does not have. */
export function withScenario(recipe: Recipe, wanted?: string): Recipe {
  const scenarios = scenariosOf(recipe);
  const found = wanted === undefined ? scenarios[0] : scenarios.find(({ name }) => name === wanted);
  if (!found) {
    const names = (recipe.scenarios ?? []).map(({ name }) => name);
    throw new ConfigError(`The recipe ${recipe.name} has no scenario ${JSON.stringify(wanted)}.`, {
      hint: names.length > 0 ? nameHint(wanted!, names) : "It names no scenarios: leave --scenario out.",
      details: { got: wanted, allowed: names },
    });
  }
  const { models, evaluation } = found;
  const tuned = recipe.tune.models?.filter((label) => models.some((model) => model.label === label));
  const tune = { ...recipe.tune, models: tuned?.length ? tuned : undefined };
  return { ...recipe, models, evaluation, tune, scenarios: undefined };
}
