/** `tastemaker serve`: answers over HTTP from the models of a run. */
import type { Command } from "commander";
import { latestRun } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { addressOf, type SourceOptions, withServeOptions, workspaceOption } from "../run-options.js";

type Options = CommonOptions & Pick<SourceOptions, "host" | "port" | "workspace"> & { recipe?: string; model?: string };

export function registerServe(program: Command, context: CliContext): void {
  const command = program
    .command("serve")
    .description("Answer over HTTP from the models of the latest run, until Ctrl-C.")
    .option("--recipe <name>", "whose latest run; default: the latest of all")
    .option("--model <label>", "which model answers when a request names none; default: the recipe's serve.model, or the champion")
    .addOption(workspaceOption(program));
  withCommonOptions(withServeOptions(command))
    .addHelpText("after", examples("tastemaker serve", "tastemaker serve --recipe retail --host 0.0.0.0 --port 9000"))
    .action(async (options: Options) => {
      const run = await latestRun(options.workspace, options.recipe);
      const address = addressOf(options);
      const { checkAddress, serveUntilInterrupted } = await import("../serve-run.js");
      await checkAddress(address);
      await serveUntilInterrupted(run, { ...address, json: options.json, defaultModel: options.model }, context);
    });
}
