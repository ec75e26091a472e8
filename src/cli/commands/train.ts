/** `tastemaker train`: trains a recipe anew, judges, and saves new versions. */
import { type Command, Option } from "commander";
import { refitRecipe } from "../../service/refit.js";
import { trainRecipe } from "../../service/train.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { evaluationTables } from "../evaluation-tables.js";
import { recipeOf, runOptions, type SourceOptions, withCheckpointOption, withFastOption, withSourceOptions } from "../run-options.js";

type Options = SourceOptions & CommonOptions & { refit?: boolean; fresh?: boolean };

export function registerTrain(program: Command, context: CliContext): void {
  const command = program
    .command("train <recipe-or-file>")
    .description("Train every model of a recipe, judge it on held-out data, and save it, fitted on all data, as a new version.")
    .addOption(
      new Option("--refit", "bring the models of the latest run up to date with new data, in part where they can be").conflicts("fresh"),
    )
    .option("--fresh", "start anew instead of going on with an interrupted training");
  withCommonOptions(withCheckpointOption(withFastOption(withSourceOptions(command))))
    .addHelpText(
      "after",
      examples(
        "tastemaker train recipes/retail.yaml --data data",
        "tastemaker train orders.parquet --item sku",
        "tastemaker train orders.csv --refit",
      ),
    )
    .action(async (target: string, options: Options) => {
      const recipe = await recipeOf(target, options);
      const common = await runOptions(context, options);
      const result = options.refit ? await refitRecipe(recipe, common) : await trainRecipe(recipe, { ...common, fresh: options.fresh });
      context.print(options.json ? JSON.stringify(result) : `\n${evaluationTables(result)}`);
      if (options.json) return;
      for (const { label, version, refittedFrom } of result.models)
        context.note(`Saved ${label} as version ${version}${refittedFrom === undefined ? "" : `, refitted from ${refittedFrom}`}.`);
    });
}
