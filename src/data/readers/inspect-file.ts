/**
 * One pass over the file before it is read: fingerprint, what it really is (by its first bytes), whether a .gz is whole,
 * the text's encoding, and its beginning as a sample. Called by `read-dataset.ts`; readers work from the facts.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CancelledError, DataError, IoError, NotFoundError, TastemakerError } from "../../core/errors.js";
import type { Progress } from "../../core/model.js";
import { nearestNames } from "../../core/nearest-names.js";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

export interface FileFacts {
  path: string;
  bytes: number;
  sha256: string;
  /** By its first bytes. */
  kind: "text" | "parquet" | "xlsx";
  gzip: boolean;
  encoding: Encoding;
  /** Bytes of the text, uncompressed. */
  textBytes: number;
  /** Whether a double quote occurs anywhere in the text. */
  hasQuotes: boolean;
  /** The first megabyte, decoded, without a byte order mark. */
  sample: string;
  /** True when `sample` is the whole text. */
  sampleIsWhole: boolean;
}

const SAMPLE_BYTES = 1 << 20;

/** Throws NotFoundError, IoError, and DataError for folders, empty, cut-off and binary files. */
export async function inspectFile(
  path: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: Progress) => void },
): Promise<FileFacts> {
  const bytes = await sizeOf(path);
  if (bytes === 0) throw emptyFile(path);
  const start = await firstBytes(path);
  const gzip = start[0] === 0x1f && start[1] === 0x8b;
  const hash = createHash("sha256");
  const sampler = new TextSampler();
  let done = 0;
  const hashed = async function* () {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18, signal }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      done += chunk.length;
      onProgress?.({ stage: "checking", done, total: bytes });
      yield chunk;
    }
  };
  const kind = gzip ? "text" : kindOf(start, path);
  const take = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) if (kind === "text") sampler.add(chunk);
  };
  try {
    if (gzip) await pipeline(Readable.from(hashed()), createGunzip({ chunkSize: 1 << 18 }), take);
    else await take(hashed());
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("Reading was cancelled.", { cause: signal.reason });
    throw gzip ? gzipError(path, error) : fileError(path, error);
  }
  const facts = { path, bytes, sha256: hash.digest("hex"), kind, gzip };
  if (kind !== "text") return { ...facts, encoding: "utf-8", textBytes: 0, hasQuotes: false, sample: "", sampleIsWhole: false };
  const inner = sampler.start();
  if (gzip && kindOf(inner, path) !== "text")
    throw new DataError(`${path} is a compressed ${kindOf(inner, path)} file.`, {
      hint: "Uncompress it first (gunzip).",
      details: { file: path },
    });
  const text = sampler.finish(path);
  if (text.sample.trim() === "") throw emptyFile(path);
  return { ...facts, ...text };
}

/** Watches the bytes of a text go by: its beginning, and whether they are UTF-8. */
class TextSampler {
  #parts: Buffer[] = [];
  #kept = 0;
  #total = 0;
  #carry: Buffer = Buffer.alloc(0);
  #hasQuotes = false;
  #wide = 0; // characters beyond ASCII that are UTF-8
  #broken = 0; // byte sequences that are not

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    this.#hasQuotes ||= chunk.includes(0x22);
    if (this.#kept < SAMPLE_BYTES) {
      const part = chunk.subarray(0, SAMPLE_BYTES - this.#kept);
      this.#parts.push(Buffer.from(part));
      this.#kept += part.length;
    }
    if (this.#carry.length === 0 && isAscii(chunk)) return;
    const joined = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    const end = joined.length - incompleteTail(joined);
    this.#judge(joined.subarray(0, end));
    this.#carry = Buffer.from(joined.subarray(end));
  }

  start(): Uint8Array {
    return this.#parts[0] ?? new Uint8Array(0);
  }

  finish(path: string): Pick<FileFacts, "encoding" | "textBytes" | "hasQuotes" | "sample" | "sampleIsWhole"> {
    this.#judge(this.#carry);
    const head = Buffer.concat(this.#parts);
    const sampleIsWhole = this.#kept === this.#total;
    const mark = head[0] === 0xff && head[1] === 0xfe ? "utf-16le" : head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : undefined;
    if (!mark) refuseBinary(head.subarray(0, 1 << 16), path);
    // Some broken characters among many good ones are damage; broken ones only are another encoding.
    const encoding = mark ?? (this.#broken > 0 && this.#broken * 4 > this.#wide ? "windows-1252" : "utf-8");
    const whole = mark ? head.length - (head.length % 2) : head.length;
    return {
      encoding,
      textBytes: this.#total,
      hasQuotes: this.#hasQuotes,
      sample: new TextDecoder(encoding).decode(head.subarray(0, whole)),
      sampleIsWhole,
    };
  }

  #judge(bytes: Buffer): void {
    if (isAscii(bytes)) return;
    if (isUtf8(bytes)) {
      this.#wide++;
      return;
    }
    for (const character of new TextDecoder().decode(bytes)) {
      if (character === "\ufffd") this.#broken++;
      else if (character > "\x7f") this.#wide++;
    }
  }
}

/** Length of a UTF-8 character that the chunk's end cuts, else 0. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

function refuseBinary(head: Buffer, path: string): void {
  let control = 0;
  for (const byte of head) {
    if (byte === 0) control = head.length;
    else if (byte < 9 || (byte > 13 && byte < 32)) control++;
  }
  // One control character per field may be a delimiter (\x01).
  if (control > head.length / 4)
    throw new DataError(`${path} is neither text nor Parquet nor XLSX.`, {
      hint: "Give a csv, tsv, JSON lines, Parquet or XLSX file; .gz is fine for text.",
      details: { file: path },
    });
}

function kindOf(start: Uint8Array, path: string): FileFacts["kind"] {
  const magic = Buffer.from(start.subarray(0, 8)).toString("latin1");
  if (magic.startsWith("PAR1")) return "parquet";
  if (magic.startsWith("PK\x03\x04")) return "xlsx";
  const foreign = Object.entries(FOREIGN).find(([prefix]) => magic.startsWith(prefix));
  if (!foreign) return "text";
  throw new DataError(`${path} is ${foreign[1]}.`, {
    hint: "Give a csv, tsv, JSON lines, Parquet or XLSX file; .gz is fine for text.",
    details: { file: path },
  });
}

const FOREIGN: Record<string, string> = {
  "\xd0\xcf\x11\xe0": "an old Excel workbook (.xls) or an encrypted one",
  "%PDF": "a PDF",
  "\x89PNG": "a picture",
  BZh: "compressed by bzip2",
  "\xfd7zXZ": "compressed by xz",
  "\x28\xb5\x2f\xfd": "compressed by zstd",
  "7z\xbc\xaf": "a 7z archive",
  "SQLite f": "an SQLite database",
};

async function sizeOf(path: string): Promise<number> {
  try {
    const facts = await stat(path);
    if (facts.isDirectory())
      throw new DataError(`${path} is a folder, not a file.`, { hint: "Name the file inside it.", details: { file: path } });
    return facts.size;
  } catch (error) {
    throw error instanceof TastemakerError ? error : await missingFile(path, error);
  }
}

async function missingFile(path: string, error: unknown): Promise<TastemakerError> {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "ENOTDIR")
    return fileError(path, error);
  const near = nearestNames(basename(path), await readdir(dirname(path)).catch(() => []));
  const hint = near.length > 0 ? `Did you mean ${near.join(", ")}?` : "Check the path; it is taken from the current folder.";
  return new NotFoundError(`There is no file ${path}.`, { hint, cause: error, details: { file: path } });
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    const handle = await open(path, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

function emptyFile(path: string): DataError {
  return new DataError(`${path} is empty.`, { hint: "Give a file with at least one row.", details: { file: path } });
}

function fileError(path: string, error: unknown): TastemakerError {
  if (error instanceof TastemakerError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new IoError(`${path} cannot be read: ${code === "EACCES" ? "permission denied" : message}.`, {
    hint: "Check that the file may be read by this user.",
    cause: error,
    details: { file: path },
  });
}

function gzipError(path: string, error: unknown): TastemakerError {
  const { code } = error as NodeJS.ErrnoException;
  if (!code?.startsWith("Z_")) return fileError(path, error);
  const cut = code === "Z_BUF_ERROR";
  return new DataError(
    cut ? `${path} is cut off: the compressed data ends before its end mark.` : `${path} is damaged: it cannot be uncompressed.`,
    {
      hint: "Copy or download the file again.",
      cause: error,
      details: { file: path },
    },
  );
}
