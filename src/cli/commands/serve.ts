/** `tastemaker serve`: answers over HTTP from the models of a run. */
import type { Command } from "commander";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { addressOf, chosenRun, type RunChoice, type SourceOptions, withRunChoice, withServeOptions } from "../run-options.js";

type Options = CommonOptions & Pick<SourceOptions, "host" | "port"> & RunChoice & { model?: string };

export function registerServe(program: Command, context: CliContext): void {
  const command = program
    .command("serve")
    .description("Answer over HTTP from the models of a run, until Ctrl-C.")
    .option("--model <label>", "which model answers when a request names none; default: the recipe's serve.model, or the champion");
  withCommonOptions(withServeOptions(withRunChoice(command)))
    .addHelpText(
      "after",
      examples(
        "tastemaker serve",
        "tastemaker serve --recipe retail --host 0.0.0.0 --port 9000",
        "tastemaker serve --models s3://models/shop --host 0.0.0.0",
      ),
    )
    .action(async (options: Options) => {
      const run = await chosenRun(options, context);
      const address = addressOf(options);
      const { checkAddress, serveUntilInterrupted } = await import("../serve-run.js");
      await checkAddress(address);
      await serveUntilInterrupted(run, { ...address, json: options.json, defaultModel: options.model }, context);
    });
}
