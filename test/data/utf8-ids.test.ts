/** Ids as bytes answer as an id map over texts does. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { utf8IdMap } from "../../src/data/utf8-ids.js";
import { encodeIds } from "../../src/store/id-arrays.js";

describe("ids as bytes", () => {
  test("give the same answers as ids as texts", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 40 }), fc.array(text, { maxLength: 10 }), (ids, others) => {
        const plain = createIdMap(ids);
        const packed = utf8IdMap(encodeIds(plain));
        expect([packed.size, [...packed.ids()]]).toEqual([ids.length, ids]);
        for (const id of [...ids, ...others, "", "\uFFFD", "\uD800"]) expect(packed.indexOf(id)).toBe(plain.indexOf(id));
        ids.forEach((id, index) => {
          expect(packed.idOf(index)).toBe(id);
        });
      }),
    );
  });

  test("find each of many, and refuse an index or a repetition", () => {
    const ids = Array.from({ length: 5000 }, (_, k) => `SO${(k * 7919) % 100_003}`);
    const packed = utf8IdMap(encodeIds(createIdMap(ids)));
    expect(ids.every((id, index) => packed.indexOf(id) === index)).toBe(true);
    expect(() => packed.idOf(5000)).toThrow(/no id at index 5000/);
    const twice = utf8IdMap({ lengths: Int32Array.of(1, 1), utf8: new TextEncoder().encode("aa") });
    expect(() => twice.indexOf("a")).toThrow(/"a" appears twice/);
  });
});
