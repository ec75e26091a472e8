/**
 * Parquet. Columns keep their types; ids become text in the row checks (whole numbers without a fraction).
 */
import type { FileFacts } from "./inspect-file.js";
import type { ReadOptions, Source } from "./read-types.js";
import { name, type Session, text } from "./session.js";

export async function openParquet(session: Session, facts: FileFacts, _options: ReadOptions): Promise<Source> {
  const file = `read_parquet(${text(facts.path)})`;
  const described = await session.rows(`DESCRIBE SELECT * FROM ${file}`);
  const columns = described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  const [{ rows }] = await session.rows(`SELECT sum(num_rows) AS rows FROM parquet_file_metadata(${text(facts.path)})`);
  return {
    format: "parquet",
    columns,
    named: true,
    relation: () => `(SELECT ${columns.map((column) => name(column.name)).join(", ")} FROM ${file})`,
    headerRows: 0,
    estimatedRows: Number(rows),
    guessed: [],
  };
}
