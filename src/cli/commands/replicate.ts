/** `tastemaker replicate`: runs studies and prints each model and metric beside the published value. */
import type { Command } from "commander";
import { ConfigError } from "../../core/errors.js";
import { listStudies, replicateStudy, type StudyResult } from "../../service/replicate.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { checkDevice, deviceOption } from "../run-options.js";
import { formatTable } from "../table.js";

interface Options extends CommonOptions {
  model?: string[];
  data?: string;
  all?: boolean;
  device?: string;
}

export function registerReplicate(program: Command, context: CliContext): void {
  const command = program
    .command("replicate [study]")
    .description("Replicate published numbers on the original data. Exits with 0 whatever the verdict.")
    .option("--all", "every study, in one table")
    .option("--model <name...>", "only these models")
    .addOption(deviceOption(program))
    .option("--data <folder>", "the folder that holds the data sets; default: $TASTEMAKER_DATA", process.env.TASTEMAKER_DATA);
  withCommonOptions(command)
    .addHelpText(
      "after",
      examples(
        "tastemaker replicate retail --data data",
        "tastemaker replicate retail --model popularity repeat --json",
        "tastemaker replicate --all --data data",
      ),
    )
    .action(async (study: string | undefined, options: Options) => {
      const studies = studiesOf(study, options);
      if (options.data === undefined) {
        throw new ConfigError("The data sets are nowhere named.", { hint: "Give their folder with --data DIR or in TASTEMAKER_DATA." });
      }
      await checkDevice(options.device);
      const results: StudyResult[] = [];
      for (const name of studies) {
        await replicateStudy(name, {
          models: options.model,
          dataFolder: options.data,
          device: options.device,
          signal: context.signal,
          onProgress: context.onProgress,
          onResult: (result) => (options.json ? context.print(JSON.stringify(result)) : results.push(result)),
        });
      }
      if (!options.json) context.print(formatTable([header, ...results.map(row)]));
    });
}

const header = ["study", "scenario", "model", "segment", "metric", "value", "sd", "published", "verdict"];

function row({ study, scenario, model, variant, segment, metric, value, sd, published, verdict, selected }: StudyResult): string[] {
  const figure = (number: number | undefined) => (number === undefined ? "" : number.toFixed(4));
  const name = `${variant ?? model}${selected ? " (selected)" : ""}`;
  return [study, scenario ?? "", name, segment ?? "", metric, figure(value), figure(sd), figure(published), verdict];
}

function studiesOf(study: string | undefined, { all, model }: Options): string[] {
  const hint = `Studies: ${listStudies().join(", ")}; or --all.`;
  if (all && study !== undefined) throw new ConfigError("Both a study and --all were given.", { hint });
  if (all && model) throw new ConfigError("--model narrows one study, not --all.", { hint });
  if (!all && study === undefined) throw new ConfigError("No study was named.", { hint });
  return study === undefined ? listStudies() : [study];
}
