/**
 * `tastemaker evaluate`: judges the models of a recipe, and lists of other systems, on held-out data; saves nothing. With
 * `--impressions` it judges policies on a log instead.
 */
import { type Command, InvalidArgumentError } from "commander";
import { ConfigError } from "../../core/errors.js";
import { evaluateRecipe } from "../../service/evaluate.js";
import type { ListSource } from "../../service/evaluation/judged.js";
import { withScenario } from "../../service/recipe/scenarios.js";
import { checkWritable, writeReport } from "../../service/report/write-report.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { evaluationTables } from "../evaluation-tables.js";
import {
  positiveNumber,
  recipeOf,
  runOptions,
  type SourceOptions,
  scenarioOption,
  wholeNumber,
  withFastOption,
  withSourceOptions,
} from "../run-options.js";

interface Options extends SourceOptions, CommonOptions {
  lists?: ListSource[];
  listColumns?: Record<string, string>;
  report?: string;
  resamples: number;
  impressions?: string;
  policy?: string[];
  logColumns?: Record<string, string>;
  temperature?: number;
  clip?: number;
}

export function registerEvaluate(program: Command, context: CliContext): void {
  const command = program
    .command("evaluate [recipe-or-file]")
    .description("Judge the models of a recipe on held-out data, or policies on logged impressions; no model is saved.")
    .option("--lists <name=file>", "judge lists of another system too: rows of user, item and score or rank; may be repeated", listSource)
    .option("--list-columns <role=column,…>", "columns of those lists: user, item, score or rank", roles)
    .addOption(scenarioOption(program, "all"))
    .option("--report <file>", "write an HTML file with tables and charts, to open in a browser")
    .option("--resamples <number>", "draws of the bootstrap behind the intervals; 0 = no intervals", wholeNumber(0), 1000)
    .option("--impressions <file>", "judge policies on this log: rows of user, item, propensity and reward")
    .option(
      "--policy <name>",
      "column of the log with a policy's probability of the shown item, or a trained model of the recipe; may be repeated",
      several,
    )
    .option(
      "--log-columns <role=column,…>",
      "columns of the log: user, item, propensity, reward, position, predicted reward, expected reward",
      roles,
    )
    .option("--temperature <number>", "models show items by softmax(score / temperature); default: only the best", positiveNumber)
    .option("--clip <number>", "largest importance weight; default: none", positiveNumber);
  withCommonOptions(withFastOption(withSourceOptions(command)))
    .addHelpText(
      "after",
      examples(
        "tastemaker evaluate demo",
        "tastemaker evaluate recipes/retail.yaml --data data --json",
        "tastemaker evaluate shop.yaml --report report.html",
        "tastemaker evaluate shop.yaml --lists peer=peer.csv",
        "tastemaker evaluate --impressions log.csv --policy target_probability",
        "tastemaker evaluate shop.yaml --impressions log.csv --policy als --temperature 0.1",
      ),
    )
    .action(async (target: string | undefined, options: Options) => {
      if (options.impressions !== undefined) return judgeImpressions(context, target, { ...options, impressions: options.impressions });
      const given = (["policy", "logColumns", "temperature", "clip"] as const).find((key) => options[key] !== undefined);
      if (given !== undefined || target === undefined) {
        throw new ConfigError(
          given ? `--${given === "logColumns" ? "log-columns" : given} needs --impressions.` : "There is nothing to evaluate.",
          {
            hint: "Give a recipe or a data file, or a log with --impressions FILE.",
          },
        );
      }
      const whole = await recipeOf(target, options);
      const recipe = options.scenario === undefined ? whole : withScenario(whole, options.scenario);
      const { lists, listColumns, report, resamples } = options;
      if (report !== undefined) await checkWritable(report); // before anything is fitted
      const evaluation = await evaluateRecipe(recipe, {
        ...(await runOptions(context, options)),
        ...{ lists, listColumns, breakdown: true },
        ...(resamples > 0 ? { intervals: { resamples } } : {}),
      });
      if (report !== undefined) {
        await writeReport(report, { title: recipe.title ?? recipe.name, recipe, evaluation });
        context.note(`Wrote ${report}.`);
      }
      context.print(options.json ? JSON.stringify(evaluation) : `\n${evaluationTables(evaluation)}`);
    });
}

async function judgeImpressions(
  context: CliContext,
  target: string | undefined,
  options: Options & { impressions: string },
): Promise<void> {
  const { evaluateImpressions } = await import("../../service/evaluation/evaluate-impressions.js");
  const { impressionNotes, impressionTable } = await import("../impression-notes.js");
  const { impressions, policy, logColumns, temperature, clip, threads, workspace, delimiter } = options;
  const recipe = target === undefined ? undefined : (await recipeOf(target, options)).name;
  const evaluation = await evaluateImpressions(impressions, {
    policies: policy,
    columns: logColumns,
    recipe,
    workspace,
    temperature,
    clip,
    threads,
    delimiter: delimiter?.replace("\\t", "\t"),
    signal: context.signal,
    onProgress: context.onProgress,
  });
  impressionNotes(evaluation).forEach(context.note);
  context.print(options.json ? JSON.stringify(evaluation) : `\n${impressionTable(evaluation)}`);
}

function listSource(text: string, before: ListSource[] = []): ListSource[] {
  const [name, ...file] = text.split("=");
  if (name === "" || file.join("=") === "") throw new InvalidArgumentError("Write NAME=FILE, such as peer=peer.csv.");
  return [...before, { name, file: file.join("=") }];
}

function several(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function roles(text: string, before: Record<string, string> = {}): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("="));
  if (pairs.some((pair) => pair.length !== 2 || pair.includes("")))
    throw new InvalidArgumentError("Write role=column, several with commas between.");
  return { ...before, ...Object.fromEntries(pairs) };
}
