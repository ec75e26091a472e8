/** `tastemaker predict`: predicted ratings of the pairs of a file, by a model of the latest run. */
import type { Command } from "commander";
import { predictPairs } from "../../service/batch.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { chosenRun, type RunChoice, wholeNumber, withRunChoice } from "../run-options.js";

interface Options extends CommonOptions, RunChoice {
  out: string;
  user?: string;
  item?: string;
  model?: string;
  threads?: number;
}

export function registerPredict(program: Command, context: CliContext): void {
  const command = program
    .command("predict <pairs>")
    .description("Write the predicted rating of each pair of user and item of a file (csv, Parquet, JSON lines, xlsx).")
    .requiredOption("--out <file>", "csv or Parquet file to write")
    .option("--user <column>", "column of the user; default: guessed")
    .option("--item <column>", "column of the item; default: guessed")
    .option("--model <label>", "which of the run's models; default: the recipe's serve.model, or the champion")
    .option("--threads <number>", "worker threads; default: the cores of the machine", wholeNumber(1));
  withCommonOptions(withRunChoice(command))
    .addHelpText(
      "after",
      examples("tastemaker predict pairs.csv --out ratings.csv", "tastemaker predict pairs.parquet --model svd --out ratings.parquet"),
    )
    .action(async (pairs: string, { out, user, item, model, threads, json, ...choice }: Options) => {
      const { signal, onProgress } = context;
      const run = await chosenRun(choice, context);
      const written = await predictPairs(run, { pairs, target: out }, { model, threads, signal, onProgress, columns: { user, item } });
      context.quiet();
      if (json) context.print(JSON.stringify(written));
      else {
        const { rows, path, unknownItems, unknownUsers } = written;
        context.note(`Wrote ${rows.toLocaleString("en")} rows, predicted by ${written.model}, version ${written.version}, to ${path}.`);
        if (unknownItems > 0) context.note(`${unknownItems.toLocaleString("en")} of them name an unknown item: no rating.`);
        if (unknownUsers > 0) context.note(`${unknownUsers.toLocaleString("en")} of them name an unknown user, of whom nothing is known.`);
      }
    });
}
