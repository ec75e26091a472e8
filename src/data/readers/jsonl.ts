/**
 * JSON lines (.jsonl, .ndjson, .json; .gz) and JSON files that are one array of objects. Each line is kept as text and
 * parsed in SQL, so that a malformed line is a rejected row with its number and not the end of the reading.
 * Keys of objects inside objects are no columns: their value is the inner object's JSON.
 */
import { DataError } from "../../core/errors.js";
import type { FileFacts } from "./inspect-file.js";
import type { ReadOptions, Source } from "./read-types.js";
import { name, type Session, text } from "./session.js";

const SAMPLE_ROWS = 20_000;

/** Opens JSON. Throws DataError when no line of the beginning is an object. */
export async function openJsonl(session: Session, facts: FileFacts, _options: ReadOptions): Promise<Source> {
  if (facts.encoding !== "utf-8")
    throw new DataError(`${facts.path} is not UTF-8, as JSON must be.`, { hint: "Convert it to UTF-8.", details: { file: facts.path } });
  const plain = (word: string) => `compression = '${facts.gzip ? "gzip" : word}'`;
  const isArray = facts.sample.trimStart().startsWith("[");
  const lines = isArray
    ? `(SELECT CAST(json AS VARCHAR) AS line FROM read_json_objects(${text(facts.path)}, format = 'array', ${plain("uncompressed")}))`
    : `(SELECT line FROM read_csv(${text(facts.path)}, auto_detect = false, ${plain("none")}, delim = '\x01', quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'}))`;
  const isObject = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END";
  const found = await session.rows(
    `SELECT key, count(*) AS rows, min(position) AS first FROM (
       SELECT unnest(json_keys(CASE WHEN ${isObject} THEN line END)) AS key, generate_subscripts(json_keys(CASE WHEN ${isObject} THEN line END), 1) AS position
       FROM (SELECT line FROM ${lines} LIMIT ${SAMPLE_ROWS}))
     GROUP BY key ORDER BY first, rows DESC, key`,
  );
  const keys = found.map(({ key }) => String(key));
  if (keys.length === 0)
    throw new DataError(`${facts.path} holds no JSON objects.`, {
      hint: 'Each line must be an object such as {"user": "u1", "item": "i7"}.',
      details: { file: facts.path },
    });
  const shape = text(JSON.stringify(Object.fromEntries(keys.map((key) => [key, "VARCHAR"]))));
  const fields = keys.map((key) => `fields[${text(key)}] AS ${name(key)}`).join(", ");
  return {
    format: "jsonl",
    columns: keys.map((key) => ({ name: key, type: "text" })),
    named: true,
    relation: () =>
      `(SELECT ${fields}, line AS ${name(LINE)}, good AS ${name(GOOD)} FROM (
          SELECT line, good, json_transform(CASE WHEN good THEN line END, ${shape}) AS fields
          FROM (SELECT line, coalesce(${isObject}, false) AS good FROM ${lines})))`,
    headerRows: 0,
    malformedSql: `NOT ${name(GOOD)}`,
    blankSql: `${name(LINE)} IS NULL OR trim(${name(LINE)}) = ''`,
    rawSql: name(LINE),
    estimatedRows: Math.max(1, Math.round((facts.textBytes / Math.max(1, facts.sample.length)) * facts.sample.split("\n").length)),
    guessed: [],
  };
}

const LINE = "__text";
const GOOD = "__good";
