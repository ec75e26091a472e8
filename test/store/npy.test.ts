import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SavedArray } from "../../src/core/model.js";
import { decodeNpy, encodeNpy, npyHeader, parseNpyHeader } from "../../src/store/npy.js";
import { expectError } from "../support/errors.js";

/** numpy.save of np.array([[1.5, -2.0, 3.0], [4.0, 5.0, 6.25]], dtype="<f4"), byte for byte as numpy 2.4 writes it. */
const NUMPY_FILE = Buffer.concat([
  Buffer.from("934e554d505901007600", "hex"),
  Buffer.from("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117, " ")),
  Buffer.from("\n"),
  Buffer.from(new Float32Array([1.5, -2, 3, 4, 5, 6.25]).buffer),
]);

describe(".npy", () => {
  test("a file of numpy is read, and ours is the same bytes", async () => {
    const { shape, data } = decodeNpy(NUMPY_FILE);
    expect(shape).toEqual([2, 3]);
    expect(data).toEqual(new Float32Array([1.5, -2, 3, 4, 5, 6.25]));
    expect(Buffer.from(encodeNpy(data, shape)).equals(NUMPY_FILE)).toBe(true);
  });

  test("every array comes back bit for bit, NaN and −0 included", () => {
    const arrays = fc.oneof<fc.Arbitrary<SavedArray>[]>(fc.float32Array(), fc.float64Array(), fc.int32Array(), fc.uint8Array());
    fc.assert(
      fc.property(arrays, (array) => {
        const { shape, data } = decodeNpy(encodeNpy(array));
        expect(shape).toEqual([array.length]);
        expect(data.constructor).toBe(array.constructor);
        expect(Buffer.from(data.buffer).equals(Buffer.from(array.buffer, array.byteOffset, array.byteLength))).toBe(true);
      }),
    );
  });

  test.each([[[]], [[0]], [[7]], [[3, 4]], [[1, 2, 3, 123456789]]])("the header of shape %j is aligned and read again", (shape) => {
    const header = npyHeader("i4", shape);
    expect(header.length % 64).toBe(0);
    expect(parseNpyHeader(header, "x")).toEqual({ dtype: "i4", shape, headerBytes: header.length });
  });

  test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ["no magic", (bytes) => bytes.subarray(1), /no \.npy header/],
    ["version 2", (bytes) => Buffer.concat([bytes.subarray(0, 6), Buffer.from([2]), bytes.subarray(7)]), /version 2\.0/],
    ["big-endian", (bytes) => Buffer.from(bytes.toString("latin1").replace("<f4", ">f4"), "latin1"), /type >f4/],
    ["Fortran order", (bytes) => Buffer.from(bytes.toString("latin1").replace("False", "True "), "latin1"), /Fortran order/],
    ["a cut header", (bytes) => bytes.subarray(0, 50), /50 bytes/],
    ["a cut body", (bytes) => bytes.subarray(0, -1), /23 bytes of values, expected 24/],
  ])("%s is refused", async (_, damage, message) => {
    await expectError(() => decodeNpy(damage(NUMPY_FILE), "a.npy"), "E_MODEL_FORMAT", message);
  });
});
