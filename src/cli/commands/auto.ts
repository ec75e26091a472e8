/** `tastemaker auto`: tries the models that suit the data, tunes them, picks the champion, says why, and trains the result. */
import type { Command } from "commander";
import { checkWritable, writeReport } from "../../service/report/write-report.js";
import { autoRecipe } from "../../service/tune/auto.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { evaluationTables } from "../evaluation-tables.js";
import {
  positiveNumber,
  recipeOf,
  runOptions,
  type SourceOptions,
  scenarioOption,
  wholeNumber,
  withSourceOptions,
} from "../run-options.js";
import { tuneNotes } from "../tune-notes.js";

type Options = SourceOptions & CommonOptions & { seconds?: number; trials?: number; metric?: string; report?: string };

export function registerAuto(program: Command, context: CliContext): void {
  const command = program
    .command("auto <recipe-or-file>")
    .description("Try the models that suit the data, tune them, choose a champion by a significance test, and train all of them.")
    .option("--seconds <number>", "time for searching, training comes on top; default: 120", positiveNumber)
    .option("--trials <number>", "trials of one model at most; default: 40", wholeNumber(1))
    .option("--metric <label>", "what decides, such as ndcg@10; default: the recipe's evaluation.choose")
    .addOption(scenarioOption(program, "the first"))
    .option("--report <file>", "write the decision, the search and the figures as an HTML file, to open in a browser");
  withCommonOptions(withSourceOptions(command))
    .addHelpText(
      "after",
      examples(
        "tastemaker auto orders.csv",
        "tastemaker auto recipes/retail.yaml --data data --seconds 300 --json",
        "tastemaker auto orders.csv --report report.html",
      ),
    )
    .action(async (target: string, options: Options) => {
      const recipe = await recipeOf(target, options);
      const { seconds, trials, metric, report, scenario } = options;
      if (report !== undefined) await checkWritable(report); // before anything is read
      const common = await runOptions(context, options);
      const { result, decision, tuning, workspace } = await autoRecipe(recipe, {
        ...common,
        ...{ seconds, trials, metric, scenario },
        ...(report === undefined ? {} : { intervals: {}, breakdown: true }),
        onStep: (step) => step.kind === "data" || common.onStep?.(step), // told before
        onTuneStep: (step) => tuneNotes(step).forEach(context.note),
      });
      context.quiet();
      if (report !== undefined) {
        await writeReport(report, { title: recipe.title ?? recipe.name, recipe, evaluation: result, tuning, decision });
        context.note(`Wrote ${report}.`);
      }
      if (options.json) {
        context.print(JSON.stringify(result));
        return;
      }
      context.print(`\n${evaluationTables({ ...result, champion: undefined })}\n\n${decision.reasons.join("\n")}`);
      context.note(`Saved in ${workspace.folder}; \`tastemaker serve\` answers from it.`);
    });
}
