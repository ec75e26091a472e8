/** `tastemaker train`: trains a recipe anew, judges, and saves new versions. */
import type { Command } from "commander";
import { trainRecipe } from "../../service/train.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { evaluationTables } from "../evaluation-tables.js";
import { recipeOf, runOptions, type SourceOptions, withCheckpointOption, withSourceOptions } from "../run-options.js";

export function registerTrain(program: Command, context: CliContext): void {
  const command = program
    .command("train <recipe-or-file>")
    .description("Train every model of a recipe, judge it on held-out data, and save it, fitted on all data, as a new version.")
    .option("--fresh", "start anew instead of going on with an interrupted training");
  withCommonOptions(withCheckpointOption(withSourceOptions(command)))
    .addHelpText("after", examples("tastemaker train recipes/retail.yaml --data data", "tastemaker train orders.parquet --item sku"))
    .action(async (target: string, options: SourceOptions & CommonOptions & { fresh?: boolean }) => {
      const recipe = await recipeOf(target, options);
      const result = await trainRecipe(recipe, { ...runOptions(context, options), fresh: options.fresh });
      context.print(options.json ? JSON.stringify(result) : `\n${evaluationTables(result)}`);
      if (options.json) return;
      for (const { label, version } of result.models) context.note(`Saved ${label} as version ${version}.`);
    });
}
