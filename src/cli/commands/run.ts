/** `tastemaker run`: a recipe or a data file end to end; an earlier run with the same inputs is reused. */
import type { Command } from "commander";
import { checkWritable, writeReport } from "../../service/report/write-report.js";
import { runRecipe } from "../../service/run.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { evaluationTables } from "../evaluation-tables.js";
import {
  recipeOf,
  runOptions,
  type SourceOptions,
  withCheckpointOption,
  withFastOption,
  withServeOptions,
  withSourceOptions,
} from "../run-options.js";
import { stepNotes } from "../step-notes.js";

type Options = SourceOptions & CommonOptions & { serve?: boolean; fresh?: boolean; report?: string };

export function registerRun(program: Command, context: CliContext): void {
  const command = program
    .command("run <recipe-or-file>")
    .description("Read, clean, split, train, judge and save; with --serve also answer over HTTP.")
    .option("--serve", "serve the trained models until Ctrl-C")
    .option("--report <file>", "write an HTML file with tables, charts, intervals and groups, to open in a browser")
    .option("--fresh", "train anew even when nothing has changed, and do not go on with an interrupted training");
  withCommonOptions(withServeOptions(withCheckpointOption(withFastOption(withSourceOptions(command)))))
    .addHelpText(
      "after",
      examples(
        "tastemaker run demo --serve",
        "tastemaker run orders.csv --user buyer --time bought_at",
        "tastemaker run shop.yaml --fast",
        "tastemaker run shop.yaml --report report.html",
        "tastemaker run recipes/retail.yaml --data data --json",
      ),
    )
    .action(async (target: string, options: Options) => {
      const recipe = await recipeOf(target, options);
      const { host, port, model } = recipe.serve;
      const { report, fresh } = options;
      if (report !== undefined) await checkWritable(report); // before anything is read
      const server = options.serve ? await import("../serve-run.js") : undefined; // loaded only where it is needed
      await server?.checkAddress({ host, port });
      const details = report === undefined ? {} : { intervals: {}, breakdown: true };
      const run = await runRecipe(recipe, { ...(await runOptions(context, options)), ...details, fresh });
      context.quiet();
      const { result, reused } = run;
      if (reused) {
        stepNotes({ kind: "data", data: result.data }).forEach(context.note);
        context.note(`Nothing has changed since ${result.createdAt}: its results and models are used (--fresh trains again).`);
      }
      if (report !== undefined) {
        await writeReport(report, { title: result.title, recipe, evaluation: result });
        context.note(
          `Wrote ${report}${result.intervals ? "" : ", without intervals, as its result is an earlier one (--fresh makes them)"}.`,
        );
      }
      context.print(options.json ? JSON.stringify(result) : `\n${evaluationTables(result)}`);
      if (server)
        await server.serveUntilInterrupted(run, { host, port, defaultModel: model, json: options.json, threads: options.threads }, context);
      else if (!options.json)
        context.note(
          `Saved in ${run.workspace.folder}; \`tastemaker serve${options.fast ? ` --recipe ${recipe.name}` : ""}\` answers from it.`,
        );
    });
}
