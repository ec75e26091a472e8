/**
 * Reads what is known of users or items from a table of its own (or from the events' file): one row per id, columns of categories,
 * numbers, texts and vectors, aligned to known ids. Where an id stands on several rows, the last value that is not empty counts.
 */
import { ConfigError } from "../../core/errors.js";
import type { FeatureColumn, Features } from "../../core/features.js";
import type { IdMap } from "../../core/interactions.js";
import { nameHint } from "../../core/nearest-names.js";
import { asNumbers } from "./property-collector.js";
import { readTable, type Table, type TableColumn, type TableOptions, tableColumns } from "./read-table.js";

/** category: one of a set of names; number; text: words; vector: several number columns side by side. */
export type FeatureKind = "category" | "number" | "text" | "vector";

export interface FeatureChoice {
  kind: FeatureKind;
  /** Source column. Default: the feature's name. */
  column?: string;
  /** Of a vector: its source columns, in order; a name with `*` stands for all that fit it, in the order of the file. */
  columns?: readonly string[];
}

export interface FeatureTableOptions extends Omit<TableOptions, "columns"> {
  /** Source column of the ids. Default: guessed by name. */
  id?: string;
  /** Feature → what it is. At least one. */
  features: Readonly<Record<string, FeatureChoice>>;
  /** Property → source column: what is shown beside an id. */
  properties?: Readonly<Record<string, string>>;
}

export interface FeatureTable {
  /** The table's own ids, in order of first appearance. */
  ids: IdMap;
  /** Columns aligned to any ids; unknown ids have no values. */
  alignedTo(ids: IdMap): Features;
  /** Values of each property by index of any ids; null where there is none. Columns of numbers only become numbers. */
  propertiesOf(ids: IdMap): Record<string, (string | number | null)[]>;
  report: Table["report"];
}

/**
 * `whose`: users or items, for the id column's usual names and for errors.
 * Throws as `readTable` does: rows whose number cells hold something else than a finite number are left out and counted in the report.
 */
export async function readFeatureTable(
  file: string,
  whose: "users" | "items",
  { id, features: asked, properties = {}, ...options }: FeatureTableOptions,
): Promise<FeatureTable> {
  if (Object.keys(asked).length === 0)
    throw new ConfigError(`The features of ${whose} name no column.`, { hint: "Write columns: { colour: category, price: number }." });
  const features = await spelledOut(file, asked, options);
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
  for (const [property, column] of Object.entries(properties)) {
    wanted.push({ role: `property ${property}`, kind: "id", names: [], mayBeEmpty: true });
    columns[`property ${property}`] = column;
  }
  const table = await readTable(file, wanted, { ...options, columns });
  const { index, ids } = table.ids[role];
  const rowsOf = (known: IdMap) => Int32Array.from(index, (one) => known.indexOf(ids.idOf(one)));
  return {
    ids,
    report: table.report,
    alignedTo(known) {
      const rowOf = rowsOf(known);
      return {
        numRows: known.size,
        columns: Object.fromEntries(
          Object.entries(features).map(([feature, choice]) => [feature, columnOf(table, { feature, choice, rowOf, numRows: known.size })]),
        ),
      };
    },
    propertiesOf(known) {
      const rowOf = rowsOf(known);
      const values = (property: string) => textsOf(table.ids[`property ${property}`], rowOf, known.size);
      return Object.fromEntries(Object.keys(properties).map((property) => [property, asNumbers(values(property))]));
    },
  };
}

/** The same features with every pattern of a vector's columns replaced by the columns that fit it. */
async function spelledOut(
  file: string,
  features: FeatureTableOptions["features"],
  options: Omit<TableOptions, "columns">,
): Promise<FeatureTableOptions["features"]> {
  if (!Object.values(features).some(({ columns }) => columns?.some(isPattern))) return features;
  const known = await tableColumns(file, options);
  const fitting = (feature: string, pattern: string) => {
    if (!isPattern(pattern)) return [pattern];
    const fits = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "is");
    const found = known.filter((name) => fits.test(name));
    if (found.length > 0) return found;
    throw new ConfigError(`${file} has no column like ${pattern}; it has ${known.join(", ")}.`, {
      hint: nameHint(pattern, known),
      details: { path: `columns.${feature}`, got: pattern, allowed: known },
    });
  };
  return Object.fromEntries(
    Object.entries(features).map(([feature, choice]) => [
      feature,
      choice.columns ? { ...choice, columns: choice.columns.flatMap((pattern) => fitting(feature, pattern)) } : choice,
    ]),
  );
}

const isPattern = (column: string): boolean => column.includes("*");

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
    return { kind, values: textsOf(table.ids[roleOf(feature, 0)], rowOf, numRows) };
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

/** The last text of each row of the result that is not empty. */
function textsOf({ index, ids }: Table["ids"][string], rowOf: Int32Array, numRows: number): (string | null)[] {
  const values = new Array<string | null>(numRows).fill(null);
  for (let row = 0; row < index.length; row++) if (rowOf[row] >= 0 && index[row] >= 0) values[rowOf[row]] = ids.idOf(index[row]);
  return values;
}
