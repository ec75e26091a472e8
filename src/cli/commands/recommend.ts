/** `tastemaker recommend`: one list for a known user or for given items, from the latest run. */
import type { Command } from "commander";
import { ConfigError } from "../../core/errors.js";
import { recommendAll } from "../../service/batch.js";
import type { ExplainAnswer } from "../../service/explain.js";
import { serveRun } from "../../service/run.js";
import { type CliContext, type CommonOptions, examples, withCommonOptions } from "../context.js";
import { chosenRun, type RunChoice, wholeNumber, withRunChoice } from "../run-options.js";
import { skippedNote } from "../skipped-note.js";
import { formatTable } from "../table.js";

/** Contributions shown for each item. */
const SHOWN = 3;

interface Options extends CommonOptions, RunChoice {
  user?: string;
  items?: string;
  topK: number;
  model?: string;
  excludeSeen?: boolean;
  explain?: boolean;
  all?: boolean;
  out?: string;
}

export function registerRecommend(program: Command, context: CliContext): void {
  const command = program
    .command("recommend")
    .description("Recommend items to a user, or to someone who had the given items, with the models of the latest run.")
    .option("--user <id>", "a user of the data")
    .option("--items <ids>", "items someone had, separated by commas")
    .option("--all", "every user of the data, to the file --out")
    .option("--out <file>", "csv or Parquet file of all lists; used by --all")
    .option("--top-k <number>", "length of the list", wholeNumber(1), 10)
    .option("--model <label>", "which of the run's models; default: the recipe's serve.model, or the champion")
    .option("--exclude-seen", "leave out what the user had; default: as the models were judged")
    .option("--no-exclude-seen", "let it appear again")
    .option("--explain", "say which of the asker's items give each item its score");
  withCommonOptions(withRunChoice(command))
    .addHelpText(
      "after",
      examples(
        "tastemaker recommend --user C10001",
        "tastemaker recommend --user C10001 --explain",
        "tastemaker recommend --items P0007,P0311 --top-k 5 --model als --json",
      ),
    )
    .action(async (options: Options) => {
      const named = options.user !== undefined || options.items !== undefined;
      if (!named && !options.all)
        throw new ConfigError("Nobody to recommend to.", {
          hint: "Give --user ID, --items with the ids of items someone had, or --all with --out FILE.",
        });
      if ((named && options.all) || (options.all ?? false) !== (options.out !== undefined))
        throw new ConfigError("--all and --out go together, and without --user and --items.", {
          hint: "Write `tastemaker recommend --all --out lists.csv`.",
        });
      const run = await chosenRun(options, context);
      if (options.out !== undefined) {
        const { model, topK, excludeSeen } = options;
        const { signal, onProgress } = context;
        const written = await recommendAll(run, options.out, { model, topK, excludeSeen, signal, onProgress });
        context.quiet();
        if (options.json) context.print(JSON.stringify(written));
        else
          context.note(
            `Wrote ${written.rows.toLocaleString("en")} rows of ${written.model}, version ${written.version}, to ${written.path}.`,
          );
        return;
      }
      const service = await serveRun(run, { defaultModel: options.model, onSkipped: skippedNote(context) });
      try {
        const history = options.items?.split(",").map((itemId) => ({ itemId: itemId.trim() }));
        const { user, topK, excludeSeen = run.result.excludeSeen } = options;
        const answer = await service.recommend({ user, history, topK, excludeSeen }, { signal: context.signal });
        const explanations: ExplainAnswer[] = [];
        for (const { itemId } of options.explain ? answer.items : [])
          explanations.push(
            await service.explain({ user, history, item: itemId, limit: options.json ? 100 : SHOWN }, { signal: context.signal }),
          );
        if (options.json) {
          const items = answer.items.map((item, place) => (options.explain ? { ...item, explanation: explanations[place] } : item));
          context.print(JSON.stringify({ ...answer, items }));
          return;
        }
        const properties = [...new Set(answer.items.flatMap((item) => Object.keys(item.properties ?? {})))];
        const rows = answer.items.map((item, place) => [
          item.itemId,
          item.score.toPrecision(4),
          item.source,
          ...properties.map((name) => String(item.properties?.[name] ?? "")),
          ...(options.explain ? [inWords(explanations[place])] : []),
        ]);
        context.print(formatTable([["item", "score", "source", ...properties, ...(options.explain ? ["because of"] : [])], ...rows]));
      } finally {
        service.dispose();
      }
    });
}

/** "P0311 +0.412, P0007 +0.2, others +0.01, base +0.05": what adds up to the score. */
function inWords({ contributions, rest, base }: ExplainAnswer): string {
  const parts: [string, number][] = contributions.map(({ itemId, contribution }) => [itemId, contribution]);
  const least = 0.005 * Math.max(0, ...parts.map(([, value]) => Math.abs(value)));
  if (Math.abs(rest) > least) parts.push(["others", rest]);
  if (Math.abs(base) > least || parts.length === 0) parts.push(["base", base]);
  return parts.map(([name, value]) => `${name} ${value < 0 ? "−" : "+"}${Number(Math.abs(value).toPrecision(3))}`).join(", ");
}
