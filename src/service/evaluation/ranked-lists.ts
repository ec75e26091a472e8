/**
 * Lists of another system beside the models of a recipe: read, matched to the data's ids, and judged on the last held-out
 * part (the test part where there is one) by the same code. Called by evaluate.ts.
 */
import { ConfigError, DataError } from "../../core/errors.js";
import { readRankedLists } from "../../data/readers/ranked-lists.js";
import type { TableOptions } from "../../data/readers/read-table.js";
import { hasList, recommenderOfLists, userLists } from "../../evaluation/ranked-lists.js";
import { type ComparableValues, type JudgeSettings, judgeFold, summarizeFolds } from "./judge-part.js";
import type { ListResult, ListSource } from "./judged.js";
import type { Part } from "./part.js";
import { partCases } from "./part-cases.js";

/** Reads and judges one file of lists. Throws what reading throws; DataError when no row of it fits the data; ConfigError for folds. */
export async function judgeLists(
  { name, file }: ListSource,
  parts: readonly Part[],
  { columns, threads, ...settings }: JudgeSettings & Pick<TableOptions, "columns" | "threads">,
): Promise<{ result: ListResult; chosen?: ComparableValues }> {
  const start = performance.now();
  const part = parts.at(-1);
  if (!part)
    throw new ConfigError("Ranked lists can only be judged on a held-out part.", {
      hint: "Give the recipe a split.",
      details: { path: "split" },
    });
  if (parts.filter((other) => other.name === part.name).length > 1)
    throw new ConfigError("Ranked lists cannot be judged over folds: one set of lists was learnt from one train part.", {
      hint: "Use a split without folds, or official folds with one pair of files.",
      details: { path: `split.${part.name}` },
    });
  const { train, test } = part;
  const { signal, onProgress } = settings;
  const rows = await readRankedLists(file, { users: test.users, items: test.items, columns, threads, signal, onProgress });
  const lists = userLists({ ...rows, numUsers: test.numUsers, numItems: test.numItems });
  const { unknownUsers, unknownItems } = rows.report;
  if (lists.itemIndex.length === 0) {
    throw new DataError(`No row of ${file} has both a user and an item of the data.`, {
      hint: `Check that both use the same ids; unknown are for example ${[unknownUsers, unknownItems].flatMap((one) => (one ? JSON.stringify(one.example) : [])).join(" and ")}.`,
      details: { file },
    });
  }
  const cases = partCases(part, settings).filter(({ relevant }) => relevant.length > 0);
  const model = recommenderOfLists(lists, { name, train });
  const { chosen, spread: _, ...figures } = summarizeFolds([await judgeFold(model, part, settings)], settings);
  const result: ListResult = {
    label: name,
    part: part.name,
    ...figures,
    numWithoutList: cases.filter(({ query }) => !hasList(lists, query)).length,
    numDuplicates: lists.numDuplicates,
    report: rows.report,
    seconds: (performance.now() - start) / 1000,
  };
  return { result, chosen };
}
