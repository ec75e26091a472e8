/** `tastemaker tune`: searches for better parameters of a recipe's models on held-out data; the test part stays unseen. */
import { basename, dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { checkWritable, writeReport } from "../../service/report/write-report.js";
import { tuneRecipe } from "../../service/tune/tune.js";
import { type SamplerName, type SchedulerName, samplers, schedulers } from "../../service/tune/tune-models.js";
import { writeTunedRecipe } from "../../service/tune/tuned-recipe.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import {
  positiveNumber,
  recipeFile,
  recipeOf,
  runOptions,
  type SourceOptions,
  scenarioOption,
  wholeNumber,
  withFastOption,
  withSourceOptions,
} from "../run-options.js";
import { tuneNotes, tuneTables } from "../tune-notes.js";

type Options = SourceOptions &
  CommonOptions & {
    trials?: number;
    seconds?: number;
    sampler?: SamplerName;
    scheduler?: SchedulerName;
    metric?: string;
    model?: string[];
    window?: number;
    resume?: boolean;
    fresh?: boolean;
    write?: boolean;
    report?: string;
  };

export function registerTune(program: Command, context: CliContext): void {
  const command = program
    .command("tune <recipe-or-file>")
    .description("Search for better parameters on a validation part; every trial is kept, Ctrl-C loses nothing.")
    .option("--trials <number>", "trials of each model; default: the recipe's, or 50 when no time is given", wholeNumber(1))
    .option("--seconds <number>", "time for all models together", positiveNumber)
    .addOption(new Option("--sampler <name>", "how parameters are chosen; default: the recipe's, or tpe").choices(Object.keys(samplers)))
    .addOption(new Option("--scheduler <name>", "which trials stop early; default: the recipe's, or none").choices(Object.keys(schedulers)))
    .option("--metric <label>", "what is made better, such as ndcg@10; default: the recipe's evaluation.choose")
    .addOption(scenarioOption(program, "the first"))
    .option("--model <label...>", "only these models of the recipe")
    .option("--window <number>", "a trial knows nothing of so many − 1 before it, and so many may run at once", wholeNumber(1))
    .option("--write", "write a tuned recipe beside the original (NAME.tuned.yaml)")
    .option("--report <file>", "write the search as an HTML file, to open in a browser: curves, trials, what mattered")
    .addOption(new Option("--resume", "fail when there is no search with these settings to go on with").conflicts("fresh"))
    .option("--fresh", "forget the trials of an equal earlier search");
  withCommonOptions(withFastOption(withSourceOptions(command), ["write"]))
    .addHelpText(
      "after",
      examples(
        "tastemaker tune recipes/retail.yaml --trials 50 --data data",
        "tastemaker tune orders.csv --model als --seconds 120 --scheduler asha --write",
        "tastemaker tune demo --sampler sobol --metric recall@20 --json",
        "tastemaker tune shop.yaml --report report.html",
      ),
    )
    .action(async (target: string, options: Options) => {
      const recipe = await recipeOf(target, options);
      const { trials, seconds, sampler, scheduler, metric, window, scenario } = options;
      if (options.report !== undefined) await checkWritable(options.report); // before anything is read
      const { onStep: _, ...common } = await runOptions(context, options);
      const report = await tuneRecipe(recipe, {
        ...common,
        ...{ trials, seconds, sampler, scheduler, metric, window, scenario },
        models: options.model,
        mode: options.fresh ? "fresh" : options.resume ? "resume" : "continue",
        onTuneStep: (step) => tuneNotes(step).forEach(context.note),
      });
      context.print(options.json ? JSON.stringify(report) : `\n${tuneTables(report)}`);
      if (options.report !== undefined) {
        await writeReport(options.report, { title: recipe.title ?? recipe.name, recipe, tuning: report });
        context.note(`Wrote ${options.report}.`);
      }
      if (!options.write) return;
      const original = recipeFile(target);
      const file = original ? join(dirname(original), basename(original).replace(/\.ya?ml$/i, ".tuned.yaml")) : `${recipe.name}.tuned.yaml`;
      await writeTunedRecipe(recipe, report.models, { target: file, original });
      context.note(`Wrote ${file}; \`tastemaker run ${file}\` trains it.`);
    });
}
