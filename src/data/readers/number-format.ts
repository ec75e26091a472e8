/**
 * Which mark of a column of written numbers is the decimal one and which parts thousands (1,234.5 or 1.234,5), by evidence over
 * the column, and the SQL that reads it so. Called by `read-dataset.ts` and the row checks; Parquet's number types need none of it.
 */

export type Mark = "." | ",";

export interface NumberFormat {
  decimal: Mark;
  /** Why, when a comma was met or a point parts thousands; undefined for plain numbers, which need no announcement. */
  why?: string;
}

/** How many values of a column have each shape. */
export interface NumberEvidence {
  /** Values that can only be read with a decimal point (2.5, 0.125, 1,234.5, 1,234,567), and with a decimal comma. */
  point: number;
  comma: number;
  /** 1,234 and 1.234: either a thousand or a fraction. */
  groupedByComma: number;
  groupedByPoint: number;
  /** Numbers without a mark. */
  plain: number;
  /** Values with a comma, of whatever shape. */
  withComma: number;
}

const SHAPES: Readonly<Record<keyof NumberEvidence, string>> = {
  point: onlyWithDecimal("[.]", ","),
  comma: onlyWithDecimal(",", "[.]"),
  groupedByComma: whole("[1-9][0-9]{0,2},[0-9]{3}"),
  groupedByPoint: whole("[1-9][0-9]{0,2}[.][0-9]{3}"),
  plain: whole("[0-9]+"),
  withComma: whole("[0-9.]*,[0-9.,]*"),
};
const KINDS = Object.keys(SHAPES) as (keyof NumberEvidence)[];

/** Both marks with this one last, the other mark twice, or this one where it cannot part thousands. */
function onlyWithDecimal(mark: string, other: string): string {
  return whole(
    [
      `[0-9]+(${other}[0-9]+)+${mark}[0-9]*`,
      `[1-9][0-9]{0,2}(${other}[0-9]{3}){2,}`,
      `[0-9]*${mark}([0-9]{0,2}|[0-9]{4,})`,
      `(0[0-9]*|[0-9]{4,})?${mark}[0-9]{3}`,
      `[0-9]*${mark}[0-9]*[eE][-+]?[0-9]+`,
    ].join("|"),
  );
}

function whole(pattern: string): string {
  return `^\\s*[-+]?(${pattern})\\s*$`;
}

/** The evidence of some values; null and texts count as nothing. */
export function numberEvidence(values: readonly (string | null)[]): NumberEvidence {
  const counted = KINDS.map((kind) => {
    const shape = new RegExp(SHAPES[kind]);
    return [kind, values.filter((value) => value !== null && shape.test(value)).length];
  });
  return Object.fromEntries(counted) as unknown as NumberEvidence;
}

/** SQL for the same over a whole column of texts, under the names of `NumberEvidence`. Only values with a mark meet the patterns: they are slow. */
export function numberEvidenceSql(column: string): string {
  const marked = `contains(${column}, ',') OR contains(${column}, '.')`;
  return KINDS.map((kind) => {
    const fits =
      kind === "plain"
        ? `CASE WHEN ${marked} THEN false ELSE TRY_CAST(${column} AS BIGINT) IS NOT NULL END`
        : `CASE WHEN ${marked} THEN regexp_matches(${column}, '${SHAPES[kind]}') ELSE false END`;
    return `count(*) FILTER (WHERE ${fits}) AS "${kind}"`;
  }).join(", ");
}

/** Whether the values leave no doubt: the rest of the column need not be looked at. */
export function isSettled({ point, comma }: NumberEvidence): boolean {
  return point > 0 !== comma > 0;
}

/**
 * The column's format. Values that can only be read one way decide (where they disagree, the more frequent way). Else 1,234 is a
 * thousand when other values have no comma; and when there is nothing but 1,234 to go by, it is what `loneComma` says.
 */
export function decideNumberFormat(evidence: NumberEvidence, loneComma: "thousands" | "decimal"): NumberFormat {
  const { point, comma, groupedByComma, groupedByPoint, plain, withComma } = evidence;
  const against = (count: number) => (count > 0 ? `, though ${count} can only have the other` : "");
  if (comma > point)
    return { decimal: ",", why: `a decimal comma as in 2,5, because ${numbers(comma)} can have no decimal point${against(point)}` };
  if (point > 0) {
    if (withComma === 0) return { decimal: "." };
    return {
      decimal: ".",
      why: `a decimal point, commas part thousands as in 1,234.5, because ${numbers(point)} can have no decimal comma${against(comma)}`,
    };
  }
  if (groupedByComma === 0) return { decimal: "." };
  if (plain + groupedByPoint > 0)
    return {
      decimal: ".",
      why: `commas part thousands (1,234 is 1234), because three digits follow every comma and there are numbers without one (${plain + groupedByPoint})`,
    };
  const taken = loneComma === "thousands" ? "parting thousands (1,234 is 1234)" : "the decimal mark (1,234 is 1.234)";
  return {
    decimal: loneComma === "thousands" ? "." : ",",
    why: `ambiguous, three digits follow every comma and no number is without; the comma is taken as ${taken}: write the numbers without it if that is wrong`,
  };
}

function numbers(count: number): string {
  return count === 1 ? "1 number" : `${count} numbers`;
}

/** SQL for the DOUBLE that a text stands for in this format; NULL where it does not fit, misplaced marks included. */
export function numberSql(column: string, { decimal }: NumberFormat): string {
  const plain = `TRY_CAST(${column} AS DOUBLE)`;
  const grouped = (mark: string, other: string) =>
    `regexp_matches(${column}, '${whole(`([0-9]{1,3}(${other}[0-9]{3})+|[0-9]*)(${mark}[0-9]*)?([eE][-+]?[0-9]+)?`)}')`;
  if (decimal === ".")
    return `CASE WHEN NOT contains(${column}, ',') THEN ${plain} WHEN ${grouped("[.]", ",")} THEN TRY_CAST(replace(${column}, ',', '') AS DOUBLE) END`;
  return `CASE WHEN NOT contains(${column}, ',') AND NOT contains(${column}, '.') THEN ${plain}
    WHEN ${grouped(",", "[.]")} THEN TRY_CAST(replace(replace(${column}, '.', ''), ',', '.') AS DOUBLE) END`;
}
