/**
 * A .tar.gz from files and texts, streamed: POSIX ustar headers, owner 0, mode 0644, one time for all, so that equal contents give equal
 * bytes. Called by service/export/sagemaker.ts.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ConfigError } from "../core/errors.js";
import { replaceFile } from "./durable-files.js";

/** `name` with slashes; either a file to copy or its text. */
export type TarEntry = { name: string } & ({ file: string } | { text: string });

const BLOCK = 512;
/** Of the eleven octal digits that a header has for a size. */
const LARGEST = 8 ** 11 - 1;

/** Replaces `target` as a whole, or leaves it as it was. Throws ConfigError for a name or file that the format cannot hold, IoError. */
export async function writeTarGz(target: string, entries: readonly TarEntry[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  await replaceFile(target, async (temporary) => {
    await pipeline(Readable.from(blocks(entries)), createGzip(), createWriteStream(temporary), { signal });
    const handle = await open(temporary, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

async function* blocks(entries: readonly TarEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    const size = "file" in entry ? (await stat(entry.file)).size : Buffer.byteLength(entry.text);
    yield header(entry.name, size);
    if ("file" in entry) for await (const chunk of createReadStream(entry.file)) yield chunk as Buffer;
    else yield Buffer.from(entry.text);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function header(name: string, size: number): Buffer {
  const [prefix, rest] = splitName(name);
  if (size > LARGEST)
    throw new ConfigError(`${name} has ${size} bytes, more than a tar archive takes.`, { hint: "Export it in another format." });
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(rest, 0);
  block.write(octal(0o644, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 100, "latin1");
  block.write("        0", 148, "latin1"); // the checksum counts as spaces; 0: a file
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** 155 bytes before a slash and 100 behind it. */
function splitName(name: string): [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ["", name];
  for (let slash = name.indexOf("/"); slash >= 0; slash = name.indexOf("/", slash + 1)) {
    const [prefix, rest] = [name.slice(0, slash), name.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest];
  }
  throw new ConfigError(`The name ${name} is too long for a tar archive.`, { hint: "Give the model a shorter label." });
}
