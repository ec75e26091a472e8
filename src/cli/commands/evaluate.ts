/** `tastemaker evaluate`: judges the models of a recipe on held-out data; saves nothing. */
import type { Command } from "commander";
import { evaluateRecipe } from "../../service/evaluate.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { recipeOf, runOptions, type SourceOptions, withSourceOptions } from "../run-options.js";
import { evaluationTables } from "../step-notes.js";

export function registerEvaluate(program: Command, context: CliContext): void {
  const command = program
    .command("evaluate <recipe-or-file>")
    .description("Judge the models of a recipe on held-out data; no model is saved.");
  withCommonOptions(withSourceOptions(command))
    .addHelpText("after", examples("tastemaker evaluate demo", "tastemaker evaluate recipes/retail.yaml --data data --json"))
    .action(async (target: string, options: SourceOptions & CommonOptions) => {
      const recipe = await recipeOf(target, options);
      const evaluation = await evaluateRecipe(recipe, runOptions(context, options));
      context.print(options.json ? JSON.stringify(evaluation) : `\n${evaluationTables(evaluation)}`);
    });
}
