/**
 * The safetensors format: u64 length of the header, the header (JSON: name → type, shape and place), then all values, little-endian, without
 * gaps (https://huggingface.co/docs/safetensors). Larger types come first, so that every array starts at a multiple of its type's size.
 */
import type { Arrays } from "./model-arrays.js";
import { npyBody, npyTypeOf } from "./npy.js";

const types = { f4: "F32", f8: "F64", i4: "I32", u1: "U8" } as const;

/** The parts of a file one after another; values are views, not copies. `metadata` is kept as it is under `__metadata__`. */
export function* safetensors(arrays: Arrays, metadata: Readonly<Record<string, string>> = {}): Generator<Uint8Array> {
  const sorted = Object.entries(arrays).sort(
    ([a, { data: x }], [b, { data: y }]) => y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of sorted) {
    header[name] = { dtype: types[npyTypeOf(data)], shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  yield headerBytes(header);
  for (const [, { data }] of sorted) yield npyBody(data);
}

/** Length and text, padded with spaces so that the values start at a multiple of 8. */
function headerBytes(header: object): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  return bytes;
}
