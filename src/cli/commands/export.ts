/** `tastemaker export`: a model of the latest run in a form that other programs read. */
import { type Command, Option } from "commander";
import { formats } from "../../service/export/formats.js";
import { exportModel } from "../../service/export.js";
import { latestRun } from "../../service/workspace.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { workspaceOption } from "../run-options.js";

interface Options extends CommonOptions {
  format?: string;
  model?: string;
  recipe?: string;
  workspace: string;
}

export function registerExport(program: Command, context: CliContext): void {
  const command = program
    .command("export <target>")
    .description("Write a trained model to a file or folder for other programs.")
    .addOption(
      new Option(
        "--format <name>",
        `${Object.entries(formats)
          .map(([name, { help, extension }]) => `${name}: ${help}${extension ? ` (default for ${extension})` : ""}`)
          .join("; ")}; default for other targets: npy`,
      ).choices(Object.keys(formats)),
    )
    .option("--model <label>", "which of the run's models; default: the champion")
    .option("--recipe <name>", "whose latest run; default: the latest of all")
    .addOption(workspaceOption(program));
  withCommonOptions(command)
    .addHelpText(
      "after",
      examples(
        "tastemaker export sasrec.onnx --model sasrec",
        "tastemaker export als-arrays --format npy --model als",
        "tastemaker export page --format browser",
      ),
    )
    .action(async (target: string, { format, model, recipe, workspace, json }: Options) => {
      const exported = await exportModel(await latestRun(workspace, recipe), target, { format, model, signal: context.signal });
      if (json) context.print(JSON.stringify(exported));
      else context.note(`Wrote ${exported.model}, version ${exported.version}, to ${exported.path}.`);
    });
}
