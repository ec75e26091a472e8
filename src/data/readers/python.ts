/**
 * Lines of Python dict literals, as many research data sets are given out ({'user': 'u1', 'rating': 4.5} …; also .gz). Each line is turned
 * into JSON in a temporary file, which then goes the way of JSON lines; a line that is no literal stays as it is and is rejected there.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CancelledError } from "../../core/errors.js";
import type { FileFacts } from "./inspect-file.js";
import { openJsonl } from "./jsonl.js";
import { jsonOfPython } from "./python-literal.js";
import type { ReadOptions, Source } from "./read-types.js";
import type { Session } from "./session.js";

/** Throws as `openJsonl`, CancelledError on `options.signal`. */
export async function openPython(session: Session, facts: FileFacts, options: ReadOptions): Promise<Source> {
  const file = join(session.folder, "lines.jsonl");
  try {
    await pipeline(Readable.from(lines(facts)), createWriteStream(file), { signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted) throw new CancelledError("Reading was cancelled.", { cause: error });
    throw error;
  }
  return { ...(await openJsonl(session, { ...facts, path: file, gzip: false, sample: jsonSample(facts) }, options)), format: "python" };
}

async function* lines({ path, gzip }: FileFacts): AsyncGenerator<string> {
  const bytes = createReadStream(path);
  const text = gzip ? bytes.pipe(createGunzip()) : bytes;
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) yield `${jsonOfPython(line) ?? line}\n`;
}

/** For the estimate of the number of rows; never an array. */
const jsonSample = ({ sample }: FileFacts): string => sample.trimStart();
