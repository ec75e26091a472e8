/** `tastemaker init`: writes a recipe for a person's own file, with what was guessed and suggested as comments. */
import { relative } from "node:path";
import type { Command } from "commander";
import { ConfigError } from "../../core/errors.js";
import { initRecipe } from "../../service/init/init-recipe.js";
import { resolveSourceFile } from "../../service/recipe/recipe.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { recipeFile, type SourceOptions, sourceOverrides, withColumnOptions } from "../run-options.js";

type Options = CommonOptions & SourceOptions & { force?: boolean };

export function registerInit(program: Command, context: CliContext): void {
  const command = program
    .command("init <data-file> [recipe]")
    .description("Write a commented recipe for a data file: columns, cleaning, split, models and metrics that suit it.")
    .option("--data <folder>", "folder in which the file is looked for first", process.env.TASTEMAKER_DATA)
    .option("--force", "replace a recipe that is there already");
  withCommonOptions(withColumnOptions(command))
    .addHelpText(
      "after",
      examples(
        "tastemaker init orders.csv",
        "tastemaker init orders.csv recipes/shop.yaml --user buyer --weight none",
        "tastemaker init ratings.parquet --json",
      ),
    )
    .action(async (target: string, recipe: string | undefined, options: Options) => {
      if (recipeFile(target) !== undefined)
        throw new ConfigError(`${target} is a recipe already.`, {
          hint: "Give the data file, such as orders.csv; `tastemaker run` takes the recipe.",
        });
      const file = resolveSourceFile(target, { recipeFolder: process.cwd(), dataFolder: options.data });
      const { signal, onProgress } = context;
      const made = await initRecipe(file, {
        ...sourceOverrides(options),
        target: recipe,
        dataFolder: options.data,
        force: options.force,
        signal,
        onProgress,
      });
      context.quiet();
      const path = relative(process.cwd(), made.recipe);
      if (options.json) return context.print(JSON.stringify({ ...made, recipe: path }));
      context.print(made.text);
      context.note(`Wrote ${path}. Look it through, then \`tastemaker run ${path} --fast\`.`);
    });
}
