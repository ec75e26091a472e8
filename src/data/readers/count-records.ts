/**
 * Counts the records of a quoted text byte by byte, as RFC 4180 reads it, before the SQL engine does. The engine loses rows without
 * a word behind a quote that is never closed, so its count is held against this one. Called by the csv reader for texts with quotes.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CancelledError } from "../../core/errors.js";
import type { Quoting } from "./text-dialect.js";

export interface RecordCount {
  /** Records that are not blank, the header included. */
  records: number;
  /** Number of the record whose quoted field is still open at the end, else undefined. */
  open: number | undefined;
}

const LF = 10;
const CR = 13;

/** One pass in constant memory. */
export async function countRecords(file: string, gzip: boolean, quoting: Quoting, signal: AbortSignal | undefined): Promise<RecordCount> {
  const counter = new RecordCounter(quoting);
  const take = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) counter.add(chunk);
  };
  const source = createReadStream(file, { highWaterMark: 1 << 18 });
  try {
    if (gzip) await pipeline(source, createGunzip({ chunkSize: 1 << 18 }), take, { signal });
    else await pipeline(source, take, { signal });
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("Reading was cancelled.", { cause: signal.reason });
    throw error;
  }
  return counter.finish();
}

export class RecordCounter {
  readonly #quote: number;
  /** −1 where a quote is escaped by doubling it. */
  readonly #escape: number;
  /** Last byte of the delimiter: a field starts behind it. */
  readonly #delimiter: number;
  #inside = false;
  #escaped = false;
  #previous = LF;
  #closed = false; // the byte before was a closing quote
  #empty = true;
  #records = 0;

  constructor({ quote, escape: escapeMark, delimiter }: Quoting) {
    this.#quote = quote.charCodeAt(0);
    this.#escape = escapeMark === quote ? -1 : escapeMark.charCodeAt(0);
    this.#delimiter = Buffer.from(delimiter).at(-1)!;
  }

  add(chunk: Uint8Array): void {
    const quote = this.#quote;
    const end = chunk.length;
    let at = this.#records === 0 && this.#empty && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
    while (at < end) {
      if (this.#inside) {
        if (this.#escaped) {
          this.#escaped = false;
          at++;
          continue;
        }
        const escapeMark = this.#escape;
        while (at < end && chunk[at] !== quote && chunk[at] !== escapeMark) at++;
        if (at === end) return;
        if (chunk[at] === quote) {
          this.#inside = false;
          this.#closed = true;
        } else this.#escaped = true;
        this.#previous = chunk[at++];
        continue;
      }
      const from = at;
      while (at < end && chunk[at] !== quote && chunk[at] !== LF && chunk[at] !== CR) at++;
      if (at > from) {
        this.#previous = chunk[at - 1];
        this.#closed = false;
        this.#empty = false;
      }
      if (at === end) return;
      const byte = chunk[at];
      if (byte === quote) {
        const starts = this.#empty || this.#previous === this.#delimiter;
        if (this.#closed ? this.#escape < 0 : starts) this.#inside = true;
        this.#closed = false;
        this.#empty = false;
      } else {
        this.#endRecord();
        this.#closed = false;
      }
      this.#previous = byte;
      at++;
    }
  }

  finish(): RecordCount {
    const open = this.#inside ? this.#records + 1 : undefined;
    this.#endRecord();
    return { records: this.#records, open };
  }

  #endRecord(): void {
    if (!this.#empty) this.#records++;
    this.#empty = true;
  }
}
