/**
 * Reads what is known of users or items from a table of its own (or from the events' file): one row per id, columns of categories,
 * numbers, texts and vectors, aligned to known ids. Where an id stands on several rows, the last value that is not empty counts.
 */
import { ConfigError } from "../../core/errors.js";
import type { FeatureColumn, Features } from "../../core/features.js";
import type { IdMap } from "../../core/interactions.js";
import { readTable, type Table, type TableColumn, type TableOptions } from "./read-table.js";

/** category: one of a set of names; number; text: words; vector: several number columns side by side. */
export type FeatureKind = "category" | "number" | "text" | "vector";

export interface FeatureChoice {
  kind: FeatureKind;
  /** Source column. Default: the feature's name. */
  column?: string;
  /** Of a vector: its source columns, in order. */
  columns?: readonly string[];
}

export interface FeatureTableOptions extends Omit<TableOptions, "columns"> {
  /** Source column of the ids. Default: guessed by name. */
  id?: string;
  /** Feature → what it is. At least one. */
  features: Readonly<Record<string, FeatureChoice>>;
}

export interface FeatureTable {
  /** The table's own ids, in order of first appearance. */
  ids: IdMap;
  /** Columns aligned to any ids; unknown ids have no values. */
  alignedTo(ids: IdMap): Features;
  report: Table["report"];
}

/**
 * `whose`: users or items, for the id column's usual names and for errors.
 * Throws as `readTable` does: rows whose number cells hold something else than a finite number are left out and counted in the report.
 */
export async function readFeatureTable(
  file: string,
  whose: "users" | "items",
  { id, features, ...options }: FeatureTableOptions,
): Promise<FeatureTable> {
  if (Object.keys(features).length === 0)
    throw new ConfigError(`The features of ${whose} name no column.`, { hint: "Write columns: { colour: category, price: number }." });
  const role = whose === "users" ? "user" : "item";
  const wanted: TableColumn[] = [{ role, kind: "id", names: [role, `${role}id`, "id"], required: true }];
  const columns: Record<string, string> = id === undefined ? {} : { [role]: id };
  for (const [feature, choice] of Object.entries(features)) {
    for (const [at, column] of sourceColumns(feature, choice).entries()) {
      const own = roleOf(feature, at);
      wanted.push({ role: own, kind: choice.kind === "number" || choice.kind === "vector" ? "number" : "id", names: [], mayBeEmpty: true });
      columns[own] = column;
    }
  }
  const table = await readTable(file, wanted, { ...options, columns });
  const { index, ids } = table.ids[role];
  return {
    ids,
    report: table.report,
    alignedTo(known) {
      const rowOf = Int32Array.from(index, (one) => known.indexOf(ids.idOf(one)));
      return {
        numRows: known.size,
        columns: Object.fromEntries(
          Object.entries(features).map(([feature, choice]) => [feature, columnOf(table, { feature, choice, rowOf, numRows: known.size })]),
        ),
      };
    },
  };
}

/** Role of the k-th source column of a feature: no name of a feature clashes with the id's. */
const roleOf = (feature: string, k: number): string => `feature ${feature} ${k}`;

function sourceColumns(feature: string, { kind, column, columns }: FeatureChoice): readonly string[] {
  if (kind !== "vector") return [column ?? feature];
  if (columns?.length) return columns;
  throw new ConfigError(`The vector ${feature} names no source columns.`, {
    hint: `Write ${feature}: { kind: vector, columns: [first, second] }.`,
    details: { path: `columns.${feature}` },
  });
}

interface Wanted {
  feature: string;
  choice: FeatureChoice;
  /** Row of the result for each row of the table; −1 = not known. */
  rowOf: Int32Array;
  numRows: number;
}

function columnOf(table: Table, { feature, choice, rowOf, numRows }: Wanted): FeatureColumn {
  const { kind } = choice;
  if (kind === "category" || kind === "text") {
    const { index, ids } = table.ids[roleOf(feature, 0)];
    const values = new Array<string | null>(numRows).fill(null);
    for (let row = 0; row < index.length; row++) if (rowOf[row] >= 0 && index[row] >= 0) values[rowOf[row]] = ids.idOf(index[row]);
    return { kind, values };
  }
  const dimensions = kind === "vector" ? choice.columns!.length : 1;
  const values = new Float32Array(numRows * dimensions).fill(Number.NaN);
  for (let d = 0; d < dimensions; d++) {
    const source = table.numbers[roleOf(feature, d)];
    for (let row = 0; row < source.length; row++)
      if (rowOf[row] >= 0 && !Number.isNaN(source[row])) values[rowOf[row] * dimensions + d] = source[row];
  }
  return kind === "vector" ? { kind, dimensions, values } : { kind: "number", values };
}
