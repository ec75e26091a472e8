/**
 * The SQL of one read: every row becomes its role columns and a reason number, 0 for rows that are kept. All checks happen in
 * one pass over the source; JavaScript only counts. Called by `read-dataset.ts`.
 */
import { CancelledError, ConfigError } from "../../core/errors.js";
import { type NumberFormat, numberSql } from "./number-format.js";
import { type ColumnNames, type DropRule, isText, type ReadOptions, type Source, type SourceColumn } from "./read-types.js";
import { name, type Session } from "./session.js";
import { type TimeFormat, timeSql } from "./time-format.js";

/** Reason number of lines that are no rows at all. */
export const BLANK = 255;

const WHITE = "E' \\t\\r\\n'";
const LARGEST_WEIGHT = 3.4028234663852886e38; // of a float32

export interface CheckedRows {
  /** SELECT of reason, value, line, user, item, basket, timestamp, weight, p0 …, t0 … where there are such; a role or property may have a `_key`. */
  sql: string;
  /** SELECT of the rejected rows alone for the rejects file: k (number among all rows), line, reason (number), raw, and the source's columns. */
  rejectedSql: string;
  /** By reason number − 1. */
  reasons: readonly string[];
}

export interface CheckPlan {
  source: Source;
  columns: ColumnNames;
  timeFormat: TimeFormat | undefined;
  /** Of a weight column of texts. */
  weightFormat: NumberFormat;
  properties: readonly string[];
  /** Columns of texts of the rows. */
  texts: readonly string[];
  options: Pick<ReadOptions, "drop" | "keepUnknownUsers" | "weightDefault" | "maxRows">;
  /** Roles whose ids may be longer than 12 bytes: a 128-bit key is computed beside them. */
  longIds: ReadonlySet<string>;
}

/** Names inside the query that no source column can have by accident. */
const inner = (i: number) => `__column_${i}`;

/** Builds the query; checks each drop rule against the source first (ConfigError with the engine's sentence). */
export async function checkedRows(session: Session, plan: CheckPlan): Promise<CheckedRows> {
  const { source, columns, options } = plan;
  const at = (column: string) => inner(source.columns.findIndex((candidate) => candidate.name === column));
  const typeOf = (column: string) => source.columns.find((candidate) => candidate.name === column)!.type;
  const rules = await Promise.all((options.drop ?? []).map((rule, i) => ruleLayer(session, source, rule, i)));
  const user = columns.user && idSql(at(columns.user), typeOf(columns.user));
  const item = idSql(at(columns.item!), typeOf(columns.item!));
  const basket = columns.basket && idSql(at(columns.basket), typeOf(columns.basket));
  const time =
    columns.timestamp && plan.timeFormat ? { raw: at(columns.timestamp), sql: timeSql(at(columns.timestamp), plan.timeFormat) } : undefined;
  const weight = columns.weight
    ? { raw: at(columns.weight), sql: weightSql(at(columns.weight), typeOf(columns.weight), plan.weightFormat) }
    : undefined;

  const cases: { reason?: string; when: string; value: string }[] = [];
  if (source.malformedSql) cases.push({ reason: "malformed row", when: "__malformed", value: "__raw" });
  rules.forEach((rule, i) => {
    cases.push({ reason: options.drop![i].reason, when: `coalesce(${rule.result}, false)`, value: rowText(source) });
  });
  if (user && !options.keepUnknownUsers) cases.push({ reason: "no user", when: "__user = ''", value: rowText(source) });
  cases.push({ reason: "no item", when: "__item = ''", value: rowText(source) });
  if (time) {
    cases.push({ reason: "no time", when: isEmpty(time.raw), value: rowText(source) });
    cases.push({
      reason: "unreadable time",
      when: `__time IS NULL OR NOT isfinite(__time) OR abs(__time) > 8.64e15`,
      value: `CAST(${time.raw} AS VARCHAR)`,
    });
  }
  if (weight) {
    if (options.weightDefault === undefined) cases.push({ reason: "no weight", when: isEmpty(weight.raw), value: rowText(source) });
    const value = `CAST(${weight.raw} AS VARCHAR)`;
    const given = options.weightDefault === undefined ? "" : `NOT (${isEmpty(weight.raw)}) AND `;
    cases.push({ reason: "unreadable weight", when: `${given}__weight IS NULL`, value });
    cases.push({ reason: "weight not finite", when: `NOT isfinite(__weight) OR abs(__weight) > ${LARGEST_WEIGHT}`, value });
    cases.push({ reason: "negative weight", when: "__weight < 0", value });
  }
  const reasons = [...new Set(cases.map(({ reason }) => reason!))];
  if (reasons.length >= BLANK)
    throw new ConfigError(`There are ${options.drop?.length} drop rules.`, { hint: "Use fewer than 240; join conditions by OR." });
  const number = (reason: string | undefined) => reasons.indexOf(reason!) + 1;
  const blank = source.blankSql ? `WHEN __blank THEN ${BLANK}` : "";
  const reasonSql = `CASE ${blank} ${cases.map(({ reason, when }) => `WHEN ${when} THEN ${number(reason)}`).join(" ")} ELSE 0 END`;
  const valueSql = `CASE __reason WHEN 0 THEN '' ${[...new Map(cases.map((one) => [number(one.reason), one.value]))].map(([n, value]) => `WHEN ${n} THEN ${value}`).join(" ")} END`;

  const base = (storeRejects: boolean) =>
    `SELECT ${[
      ...source.columns.map((column, i) => `${name(column.name)} AS ${inner(i)}`),
      source.lineSql && `${source.lineSql} AS __line`,
      source.malformedSql && `${source.malformedSql} AS __malformed, ${source.rawSql} AS __raw`,
      source.blankSql && `(${source.blankSql}) AS __blank`,
    ]
      .filter(Boolean)
      .join(", ")} FROM ${source.relation(storeRejects)}${options.maxRows === undefined ? "" : ` LIMIT ${options.maxRows}`}`;
  const judged = (storeRejects: boolean) => {
    const ruled = rules.reduce((from, { layer }) => layer(from), base(storeRejects));
    const roles = `SELECT *, ${[
      `${user ?? "''"} AS __user`,
      `${item} AS __item`,
      basket && `${basket} AS __basket`,
      time && `${time.sql} AS __time`,
      weight && `${weight.sql} AS __weight`,
    ]
      .filter(Boolean)
      .join(", ")} FROM (${ruled})`;
    return `SELECT *, CAST(${reasonSql} AS UTINYINT) AS __reason FROM (${roles})`;
  };
  const key = (role: string) => (plan.longIds.has(role) ? [`md5_number(__${role}) AS ${role}_key`] : []);
  const sql = `SELECT ${[
    "__reason AS reason",
    `coalesce(${valueSql}, '') AS value`,
    ...(source.lineSql ? ["__line AS line"] : []),
    ...(columns.user ? ["__user AS user", ...key("user")] : []),
    "__item AS item",
    ...key("item"),
    ...(columns.basket ? ["__basket AS basket", ...key("basket")] : []),
    ...(time ? ["coalesce(__time, 0.0)::DOUBLE AS timestamp"] : []),
    ...(weight ? [`coalesce(__weight, ${options.weightDefault ?? 0})::DOUBLE AS weight`] : []),
    ...plan.properties.flatMap((column, i) => {
      const value = propertySql(at(column), typeOf(column));
      return [`${value} AS p${i}`, `hash(${value}) AS p${i}_key`];
    }),
    ...plan.texts.map((column, i) => `${propertySql(at(column), typeOf(column))} AS t${i}`),
  ].join(", ")} FROM (${judged(true)})`;
  const rejectedSql = `SELECT k, ${source.lineSql ? "__line" : "0.0"} AS line, __reason AS reason, ${source.malformedSql ? "CASE WHEN __malformed THEN __raw END" : "NULL::VARCHAR"} AS raw,
    ${source.columns.map((column, i) => `${inner(i)} AS ${name(column.name)}`).join(", ")}
    FROM (SELECT row_number() OVER () AS k, * FROM (${judged(false)})) WHERE __reason BETWEEN 1 AND ${BLANK - 1}`;
  return { sql, rejectedSql, reasons };
}

/** A rule sees the source's own names. It is tried on texts as they are; text columns it mentions become numbers where only that makes it valid. */
async function ruleLayer(session: Session, source: Source, rule: DropRule, i: number) {
  const result = `__drop_${i}`;
  const { columns } = source;
  const names = columns.map((column) => name(column.name)).join(", ");
  const layerOf = (numbers: ReadonlySet<string>) => (from: string) => {
    const shown = columns.map(
      (column, c) => `${numbers.has(column.name) ? `TRY_CAST(${inner(c)} AS DOUBLE)` : inner(c)} AS ${name(column.name)}`,
    );
    return `SELECT * EXCLUDE (${names}), (${rule.where}\n) AS ${result} FROM (SELECT *, ${shown.join(", ")} FROM (${from}))`;
  };
  const trial = `SELECT ${columns.map((column, c) => `${name(column.name)} AS ${inner(c)}`).join(", ")} FROM ${source.relation(false)} LIMIT 0`;
  let first: Error | undefined;
  for (const numbers of numberChoices(columns, rule.where)) {
    const layer = layerOf(numbers);
    try {
      const shape = (await session.rows(`DESCRIBE ${layer(trial)}`)).find((row) => row.column_name === result);
      if (shape?.column_type === "BOOLEAN") return { layer, result };
      first ??= new Error(`it gives ${String(shape?.column_type)}, not true or false.`);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      first ??= ((error as Error).cause as Error | undefined) ?? (error as Error);
    }
  }
  const message = first!.message.split("\n").filter((line) => line.trim() !== "");
  throw new ConfigError(
    `The drop rule ${JSON.stringify(rule.reason)} is not a condition over this file: ${message.slice(0, 2).join(" ")}`,
    {
      hint: `Its condition is ${rule.where}; the columns are ${columns.map((column) => column.name).join(", ")}.`,
      cause: first,
      details: { path: `drop.${i}.where`, got: rule.where, allowed: columns.map((column) => column.name) },
    },
  );
}

/** Sets of text columns to be seen as numbers, smallest first: the subsets of those that the condition mentions. */
function numberChoices(columns: readonly SourceColumn[], where: string): ReadonlySet<string>[] {
  const mentioned = columns
    .filter(({ name: column, type }) => isText(type) && where.toLowerCase().includes(column.toLowerCase()))
    .slice(0, 5);
  const subsets = Array.from(
    { length: 2 ** mentioned.length },
    (_, bits) => new Set(mentioned.filter((_, i) => bits & (1 << i)).map((column) => column.name)),
  );
  return subsets.sort((a, b) => a.size - b.size);
}

/** The id as exact text, '' when it is missing or blank. Numbers without fraction are written without one. */
function idSql(column: string, type: string): string {
  if (/^(DOUBLE|FLOAT|DECIMAL)/i.test(type)) {
    const number = `CAST(${column} AS DOUBLE)`;
    return `CASE WHEN ${column} IS NULL OR isnan(${number}) THEN '' WHEN ${number} = trunc(${number}) AND abs(${number}) < 9e15 THEN CAST(CAST(${number} AS BIGINT) AS VARCHAR) ELSE CAST(${column} AS VARCHAR) END`;
  }
  const value = isText(type) ? column : `CAST(${column} AS VARCHAR)`;
  return `CASE WHEN ${isEmpty(value)} THEN '' ELSE ${value} END`;
}

/** NULL or white space only. The comparison spares most values the trim. */
function isEmpty(column: string): string {
  return `CASE WHEN ${column} IS NULL THEN true WHEN CAST(${column} AS VARCHAR) < '!' THEN trim(CAST(${column} AS VARCHAR), ${WHITE}) = '' ELSE false END`;
}

function weightSql(column: string, type: string, format: NumberFormat): string {
  return isText(type) ? numberSql(column, format) : `TRY_CAST(${column} AS DOUBLE)`;
}

function propertySql(column: string, type: string): string {
  return `coalesce(trim(${isText(type) ? column : `CAST(${column} AS VARCHAR)`}, ${WHITE}), '')`;
}

/** The row for an example: its text where the source has one, else its cells. */
function rowText({ rawSql, columns }: Source): string {
  if (rawSql) return "__raw";
  const cells = columns.slice(0, 12).map((_, i) => `coalesce(CAST(${inner(i)} AS VARCHAR), '')`);
  return `concat_ws(', ', ${cells.join(", ")})`;
}
