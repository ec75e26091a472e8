/**
 * One Python literal (as `repr` writes it, and `ast.literal_eval` reads it) as JSON: dicts, lists, tuples, strings, numbers, True, False
 * and None. A grammar, not a replacement of quotes: apostrophes inside texts stay what they are. Called by python.ts, line by line.
 */

/** The JSON of a literal; undefined where the text is none. */
export function jsonOfPython(text: string): string | undefined {
  const cursor: Cursor = { text, at: 0 };
  try {
    const value = valueAt(cursor);
    skip(cursor);
    return cursor.at === text.length ? value : undefined;
  } catch (error) {
    if (error === NO_LITERAL) return undefined;
    throw error;
  }
}

interface Cursor {
  text: string;
  at: number;
}

const NO_LITERAL = new Error("no Python literal");
const DEPTH = 64;

function valueAt(cursor: Cursor, depth = 0): string {
  if (depth > DEPTH) throw NO_LITERAL;
  skip(cursor);
  const { text, at } = cursor;
  switch (text[at]) {
    case "{":
      return `{${listAt(cursor, "}", () => {
        const key = stringAt(cursor) ?? String(wordAt(cursor));
        skip(cursor);
        if (text[cursor.at++] !== ":") throw NO_LITERAL;
        return `${key.startsWith('"') ? key : `"${key}"`}:${valueAt(cursor, depth + 1)}`;
      })}}`;
    case "[":
      return `[${listAt(cursor, "]", () => valueAt(cursor, depth + 1))}]`;
    case "(":
      return `[${listAt(cursor, ")", () => valueAt(cursor, depth + 1))}]`;
    default:
      return stringAt(cursor) ?? wordAt(cursor);
  }
}

function listAt(cursor: Cursor, end: string, entry: () => string): string {
  const entries: string[] = [];
  cursor.at++;
  for (;;) {
    skip(cursor);
    if (cursor.text[cursor.at] === end) break;
    entries.push(entry());
    skip(cursor);
    if (cursor.text[cursor.at] === ",") cursor.at++;
    else if (cursor.text[cursor.at] !== end) throw NO_LITERAL;
  }
  cursor.at++;
  return entries.join(",");
}

const WORD = /[-+.\w]+/y;
const NUMBER = /^-?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;
const NAMES: Readonly<Record<string, string>> = { True: "true", False: "false", None: "null", nan: "null", inf: "null", "-inf": "null" };

function wordAt(cursor: Cursor): string {
  WORD.lastIndex = cursor.at;
  const [word] = WORD.exec(cursor.text) ?? [];
  if (word === undefined) throw NO_LITERAL;
  cursor.at += word.length;
  if (Object.hasOwn(NAMES, word)) return NAMES[word];
  const number = word.replace(/L$/, "");
  if (!NUMBER.test(number)) throw NO_LITERAL;
  return number
    .replace(/^(-?)0+(?=\d)/, "$1")
    .replace(/^(-?)\./, "$10.")
    .replace(/\.(?!\d)/, "");
}

const STRING = /([ubr]?)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/isy;

/** A string as JSON; undefined where none begins. */
function stringAt(cursor: Cursor): string | undefined {
  STRING.lastIndex = cursor.at;
  const found = STRING.exec(cursor.text);
  if (!found) return undefined;
  cursor.at += found[0].length;
  const inside = found[2].slice(1, -1);
  return JSON.stringify(found[1].toLowerCase() === "r" ? inside : unescaped(inside, found[1].toLowerCase() !== "u"));
}

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;
const SINGLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", "\n": "" };

/**
 * `bytes`: characters beyond ASCII that are written as \xNN and together are UTF-8 are what Python 2 made of a text, and become
 * that text (Python 3 writes such characters as they are).
 */
function unescaped(text: string, bytes: boolean): string {
  if (!text.includes("\\")) return text;
  const plain = text.replace(ESCAPE, (whole, x, u, long, octal, single) => {
    const code = x ?? u ?? long;
    if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff) return String.fromCodePoint(Number.parseInt(code, 16));
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return single === undefined ? whole : (SINGLE[single] ?? (/['"\\]/.test(single) ? single : whole));
  });
  if (!bytes || !/\\x[89a-f]/i.test(text) || /[^\0-\xff]/.test(plain)) return plain;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(plain, "latin1"));
  } catch {
    return plain;
  }
}

function skip(cursor: Cursor): void {
  while (/\s/.test(cursor.text[cursor.at] ?? "")) cursor.at++;
}
