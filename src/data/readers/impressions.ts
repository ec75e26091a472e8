/**
 * Reads logged impressions: the item shown, the probability with which it was shown, what came of it, and the probability that other
 * policies would have shown it. Judged by `evaluation/counterfactual/`.
 */
import { ConfigError } from "../../core/errors.js";
import type { IdMap } from "../../core/interactions.js";
import { readTable, type Table, type TableColumn, type TableOptions } from "./read-table.js";

const COLUMNS: readonly TableColumn[] = [
  { role: "user", kind: "id", names: ["user", "userid", "context", "contextid"] },
  { role: "item", kind: "id", names: ["item", "itemid", "action", "actionid", "arm"], required: true },
  {
    role: "propensity",
    kind: "number",
    names: ["propensity", "propensityscore", "loggingprobability", "pscore", "loggingpropensity", "probability"],
    required: true,
    mayBeEmpty: true,
  },
  { role: "reward", kind: "number", names: ["reward", "click", "clicked", "outcome", "feedback", "converted"], required: true },
  { role: "position", kind: "number", names: ["position", "rank", "slot"], mayBeEmpty: true },
  { role: "predicted reward", kind: "number", names: ["predictedreward", "rewardprediction"] },
  { role: "expected reward", kind: "number", names: ["expectedreward", "targetvalue", "policyvalue"] },
];

const TARGET_NAMES = ["targetprobability", "targetpropensity", "evaluationprobability", "newprobability", "targetpscore"];

export interface ImpressionFile {
  userIndex?: Int32Array;
  users?: IdMap;
  itemIndex: Int32Array;
  items: IdMap;
  /** NaN where the cell is empty. */
  propensity: Float64Array;
  reward: Float64Array;
  /** Column name → probabilities of the logged items. */
  targets: Record<string, Float64Array>;
  /** Both or neither. */
  predicted?: Float64Array;
  expected?: Float64Array;
  /** Rows that were not in the first place of their slate. */
  numLowerPlaces: number;
  report: Table["report"];
}

/**
 * `targets` names columns with probabilities of other policies; without them one is guessed, and `[]` asks for none.
 * With a column `position` only the rows of the smallest position count. Throws as `readTable` does.
 */
export async function readImpressions(
  file: string,
  { targets, ...options }: TableOptions & { targets?: readonly string[] } = {},
): Promise<ImpressionFile> {
  const roles = targets?.map((column) => `probability of ${column}`) ?? ["target probability"];
  const table = await readTable(
    file,
    [...COLUMNS, ...roles.map((role): TableColumn => ({ role, kind: "number", names: TARGET_NAMES, required: targets !== undefined }))],
    { ...options, columns: { ...options.columns, ...Object.fromEntries((targets ?? []).map((column, t) => [roles[t], column])) } },
  );
  const { ids, numbers, report } = table;
  if ((numbers["predicted reward"] === undefined) !== (numbers["expected reward"] === undefined)) {
    throw new ConfigError(`${file} has only one of the predicted and the expected reward.`, {
      hint: "The doubly robust estimate needs the prediction for the logged item and its expectation under the policy; give both or neither.",
      details: { path: "columns" },
    });
  }
  if (numbers["predicted reward"] && roles.length > 1)
    throw new ConfigError("The expected reward belongs to one policy, but several are to be judged.", {
      hint: "Judge one policy at a time, or leave the column of the expected reward out.",
      details: { path: "columns.expected reward", got: report.columns["expected reward"] },
    });
  const { position } = numbers;
  const first = position?.reduce((least, one) => (one < least ? one : least), Infinity);
  const kept = Array.from({ length: table.numRows }, (_, row) => row).filter((row) => !position || position[row] === first);
  const rows = position ? kept : undefined;
  const numbersOf = (role: string) => numbers[role] && (rows ? Float64Array.from(rows, (row) => numbers[role][row]) : numbers[role]);
  const idsOf = (role: string) => ids[role] && (rows ? Int32Array.from(rows, (row) => ids[role].index[row]) : ids[role].index);
  const found = roles.filter((role) => numbers[role] !== undefined);
  return {
    userIndex: idsOf("user"),
    users: ids.user?.ids,
    itemIndex: idsOf("item"),
    items: ids.item.ids,
    propensity: numbersOf("propensity"),
    reward: numbersOf("reward"),
    targets: Object.fromEntries(found.map((role) => [report.columns[role], numbersOf(role)])),
    predicted: numbersOf("predicted reward"),
    expected: numbersOf("expected reward"),
    numLowerPlaces: table.numRows - kept.length,
    report,
  };
}
