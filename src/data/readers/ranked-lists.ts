/**
 * Reads lists that another system made: rows of user, item and a score (higher is better) or a rank (lower is better), in any file the
 * readers open and in any order, and matches them to known ids. Judged by `evaluation/ranked-lists.ts`.
 */
import { ConfigError } from "../../core/errors.js";
import type { IdMap } from "../../core/interactions.js";
import { readTable, type Table, type TableColumn, type TableOptions } from "./read-table.js";

const COLUMNS: readonly TableColumn[] = [
  { role: "user", kind: "id", names: ["user", "userid"], required: true, byPlace: true },
  { role: "item", kind: "id", names: ["item", "itemid"], required: true, byPlace: true },
  {
    role: "score",
    kind: "number",
    names: ["score", "prediction", "predictedscore", "relevance", "rating", "weight", "value"],
    byPlace: true,
  },
  { role: "rank", kind: "number", names: ["rank", "position", "place"], unless: "score" },
];

/** Ids of the file that the data does not have. */
export interface UnknownIds {
  ids: number;
  rows: number;
  example: string;
}

export interface ListFile {
  userIndex: Int32Array;
  itemIndex: Int32Array;
  /** One of the two. */
  score?: Float64Array;
  rank?: Float64Array;
  report: Table["report"] & {
    /** Distinct users of the file that the data knows. */
    users: number;
    unknownUsers?: UnknownIds;
    unknownItems?: UnknownIds;
  };
}

/**
 * Rows of `file` over the given ids, −1 where an id is unknown (counted in the report). Without a header: user, item, score.
 * Throws as `readTable` does; ConfigError when there is neither a score nor a rank; where there are both, the score counts.
 */
export async function readRankedLists(
  file: string,
  { users, items, ...options }: TableOptions & { users: IdMap; items: IdMap },
): Promise<ListFile> {
  const table = await readTable(file, COLUMNS, options);
  const { score, rank } = table.numbers;
  if (!score && !rank)
    throw new ConfigError(`${file} has neither a score nor a rank.`, {
      hint: "Name the column of the score (higher is better) or of the rank (lower is better), or call it score or rank.",
      details: { path: "columns.score" },
    });
  const user = matched(table.ids.user, users);
  const item = matched(table.ids.item, items);
  const known = new Set(user.index);
  known.delete(-1);
  return {
    userIndex: user.index,
    itemIndex: item.index,
    ...(score ? { score } : { rank }),
    report: { ...table.report, users: known.size, unknownUsers: user.unknown, unknownItems: item.unknown },
  };
}

/** Indexes of the data for those of the file. */
function matched({ index, ids }: Table["ids"][string], known: IdMap): { index: Int32Array; unknown?: UnknownIds } {
  const knownIndex = Int32Array.from(ids.ids(), (id) => known.indexOf(id));
  const out = index.map((one) => knownIndex[one]);
  const rows = out.reduce((count, one) => count + (one < 0 ? 1 : 0), 0);
  if (rows === 0) return { index: out };
  const missing = knownIndex.reduce((count, one) => count + (one < 0 ? 1 : 0), 0);
  return { index: out, unknown: { ids: missing, rows, example: ids.idOf(knownIndex.indexOf(-1)) } };
}
