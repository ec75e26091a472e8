/** `tastemaker features`: which pairs of features a trained model lets act together, and how strongly. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { IoError } from "../../core/errors.js";
import { featurePairs } from "../../service/feature-strengths.js";
import { heatMap } from "../../service/report/heat-map.js";
import { latestRun } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { wholeNumber, workspaceOption } from "../run-options.js";
import { formatTable } from "../table.js";

interface Options extends CommonOptions {
  model?: string;
  recipe?: string;
  workspace: string;
  top: number;
  picture?: string;
}

export function registerFeatures(program: Command, context: CliContext): void {
  const command = program
    .command("features")
    .description("Show how strongly a model of the latest run, such as dcn, crosses each pair of features.")
    .option("--model <label>", "which of the run's models; default: the champion")
    .option("--recipe <name>", "whose latest run; default: the latest of all")
    .option("--top <number>", "pairs listed", wholeNumber(1), 20)
    .option("--picture <file>", "write all pairs as a heat map (SVG)")
    .addOption(workspaceOption(program));
  withCommonOptions(command)
    .addHelpText("after", examples("tastemaker features --model dcn", "tastemaker features --model dcn --picture crosses.svg"))
    .action(async ({ model, recipe, workspace, top, picture, json }: Options) => {
      const found = await featurePairs(await latestRun(workspace, recipe), model);
      if (picture !== undefined) {
        try {
          await writeFile(picture, heatMap(found, `Feature pairs of ${found.model}`));
        } catch (cause) {
          throw new IoError(`${picture} cannot be written: ${(cause as Error).message}.`, {
            hint: "Name a file in a folder that exists.",
            cause,
          });
        }
        context.note(`Wrote ${picture}.`);
      }
      if (json) context.print(JSON.stringify({ ...found, strengths: [...found.strengths] }));
      else
        context.print(
          formatTable([
            ["feature", "with", "strength"],
            ...found.pairs.slice(0, top).map(({ features, strength }) => [...features, strength.toPrecision(4)]),
          ]),
        );
    });
}
