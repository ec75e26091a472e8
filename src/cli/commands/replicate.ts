/** `tastemaker replicate`: runs a study and prints one line per model and metric beside the published value. */
import type { Command } from "commander";
import { ConfigError } from "../../core/errors.js";
import { replicateStudy } from "../../service/replicate.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";

interface Options extends CommonOptions {
  model?: string[];
  data?: string;
}

export function registerReplicate(program: Command, context: CliContext): void {
  const command = program
    .command("replicate <study>")
    .description("Replicate published numbers on the original data. Exits with 0 whatever the verdict.")
    .option("--model <name...>", "only these models")
    .option("--data <folder>", "the folder that holds the data sets; default: $TASTEMAKER_DATA", process.env.TASTEMAKER_DATA);
  withCommonOptions(command)
    .addHelpText(
      "after",
      examples("tastemaker replicate retail --data data", "tastemaker replicate retail --model popularity repeat --json"),
    )
    .action(async (study: string, options: Options) => {
      if (options.data === undefined) {
        throw new ConfigError("The data sets are nowhere named.", { hint: "Give their folder with --data DIR or in TASTEMAKER_DATA." });
      }
      await replicateStudy(study, {
        models: options.model,
        dataFolder: options.data,
        signal: context.signal,
        onProgress: context.onProgress,
        onResult: (result) => {
          if (options.json) return context.print(JSON.stringify(result));
          const { scenario, model, variant, segment, metric, value, published, verdict } = result;
          const name = [scenario, model, variant, segment].filter((part) => part !== undefined).join(" / ");
          context.print(`${name}: ${metric} ${value}${published === undefined ? "" : ` (published ${published})`}: ${verdict}`);
        },
      });
    });
}
