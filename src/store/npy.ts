/**
 * The .npy format, version 1.0 (NEP 1), little-endian and C order, for the four types that models keep:
 * numpy reads these files with `np.load`, and files that numpy wrote with these types are read here.
 * Only headers are handled as bytes; bodies are views, so that arrays of gigabytes are never copied.
 */
import { ModelFormatError } from "../core/errors.js";
import type { SavedArray } from "../core/model.js";

export type NpyType = "f4" | "f8" | "i4" | "u1";

export interface NpyHeader {
  dtype: NpyType;
  shape: number[];
  /** Bytes before the first value. */
  headerBytes: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const PREFIX_BYTES = 10; // magic, version, uint16 length of the dictionary
const descriptors: Record<NpyType, string> = { f4: "<f4", f8: "<f8", i4: "<i4", u1: "|u1" };
const arrayTypes = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array } as const;

/** The type under which an array is stored. */
export function npyTypeOf(array: SavedArray): NpyType {
  if (array instanceof Float32Array) return "f4";
  if (array instanceof Float64Array) return "f8";
  if (array instanceof Int32Array) return "i4";
  return "u1";
}

/** Magic, version and dictionary, padded so that the values start at a multiple of 64 bytes. */
export function npyHeader(dtype: NpyType, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  return headerOf(descriptors[dtype], shape);
}

/** A whole .npy file of strings, all as wide as the longest, in blocks (for numpy alone: it is not read here). */
export function* npyOfText(strings: readonly string[]): Generator<Uint8Array> {
  const width = strings.reduce((most, string) => Math.max(most, codePoints(string)), 1);
  yield headerOf(`<U${width}`, [strings.length]);
  const block = Math.max(1, Math.floor(2 ** 20 / width));
  for (let from = 0; from < strings.length; from += block) {
    const some = strings.slice(from, from + block);
    const bytes = new DataView(new ArrayBuffer(some.length * width * 4));
    for (const [row, string] of some.entries()) {
      let at = row * width * 4;
      for (const character of string) {
        bytes.setUint32(at, character.codePointAt(0)!, true);
        at += 4;
      }
    }
    yield new Uint8Array(bytes.buffer);
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function headerOf(descriptor: string, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil((PREFIX_BYTES + dictionary.length + 1) / 64) * 64;
  const text = `${dictionary.padEnd(total - PREFIX_BYTES - 1, " ")}\n`;
  const header = new Uint8Array(total);
  header.set([...MAGIC, 1, 0, (total - PREFIX_BYTES) & 255, (total - PREFIX_BYTES) >> 8]);
  header.set(new TextEncoder().encode(text), PREFIX_BYTES);
  return header;
}

/** The bytes of the values, without a copy. */
export function npyBody(array: SavedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * Reads the header at the start of `bytes` (the first 64 KiB of a file always hold it).
 * Throws ModelFormatError naming `file` when it is no .npy file, or one of another version, type or order.
 */
export function parseNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  if (bytes.length < PREFIX_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) throw unreadable(file, "no .npy header", "an .npy file");
  if (bytes[6] !== 1) throw unreadable(file, `.npy version ${bytes[6]}.${bytes[7]}`, "version 1.0");
  const headerBytes = PREFIX_BYTES + bytes[8] + 256 * bytes[9];
  if (bytes.length < headerBytes) throw unreadable(file, `${bytes.length} bytes`, `a header of ${headerBytes} bytes`);
  const text = new TextDecoder("latin1").decode(bytes.subarray(PREFIX_BYTES, headerBytes));
  const descriptor = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const dtype = (Object.keys(descriptors) as NpyType[]).find((type) => descriptors[type] === descriptor);
  if (dtype === undefined) throw unreadable(file, `values of type ${descriptor ?? "unknown"}`, Object.values(descriptors).join(", "));
  if (!/'fortran_order':\s*False/.test(text)) throw unreadable(file, "Fortran order", "C order");
  const tuple = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (tuple === undefined) throw unreadable(file, "no shape", "a shape");
  const shape = tuple
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  return { dtype, shape, headerBytes };
}

/** An array of zeros for the values behind `header`, and the bytes to read them into. */
export function npyTarget({ dtype, shape }: NpyHeader): { data: SavedArray; bytes: Uint8Array } {
  const length = shape.reduce((product, size) => product * size, 1);
  const data = new arrayTypes[dtype](length);
  return { data, bytes: npyBody(data) };
}

/** A whole .npy file as one block of bytes; for small arrays and tests. */
export function encodeNpy(array: SavedArray, shape: readonly number[] = [array.length]): Uint8Array {
  const header = npyHeader(npyTypeOf(array), shape);
  const body = npyBody(array);
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  return bytes;
}

/** The inverse of `encodeNpy`; throws ModelFormatError when the bytes are too few or too many. */
export function decodeNpy(file: Uint8Array, name = "array.npy"): { shape: number[]; data: SavedArray } {
  const header = parseNpyHeader(file, name);
  const { data, bytes } = npyTarget(header);
  const body = file.subarray(header.headerBytes);
  if (body.length !== bytes.length) throw unreadable(name, `${body.length} bytes of values`, `${bytes.length} for its shape`);
  bytes.set(body);
  return { shape: header.shape, data };
}

function unreadable(file: string, got: string, expected: string): ModelFormatError {
  return new ModelFormatError(`${file} cannot be read: got ${got}, expected ${expected}.`, { details: { file, got, expected } });
}
