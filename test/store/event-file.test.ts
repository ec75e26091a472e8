/** TensorBoard event files: bytes that are taken apart here by hand, without the encoder that wrote them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { IoError } from "../../src/core/errors.js";
import { openCurves } from "../../src/service/curves.js";
import { crc32c, createEventFile } from "../../src/store/event-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

test("crc32c: the check value of the standard and the vectors of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
});

test("scalars by step: a version, a start that outdates earlier files, then one record per step", async () => {
  const folder = join(temporaryFolder(), "als", "test");
  const file = createEventFile(folder, () => 1_700_000_000_500);
  file.add(1, { loss: 0.5, "learning rate": 0.01 });
  file.add(300, { loss: 0 });
  await file.close();
  const [name] = readdirSync(folder);
  expect(name).toMatch(/^events\.out\.tfevents\.1700000000\./);
  const events = recordsOf(readFileSync(join(folder, name))).map(fieldsOf);
  expect(events.map((fields) => fields.get(1)?.[0].readDoubleLE())).toEqual(new Array(4).fill(1_700_000_000.5));
  expect(events[0].get(3)?.toString()).toBe("brain.Event:2");
  expect([...fieldsOf(events[1].get(7)![0]).get(1)![0]]).toEqual([1]); // SessionLog.START
  expect(varint(events[1].get(2)![0])).toBe(1);
  const scalars = events.slice(2).map((fields) => ({
    step: varint(fields.get(2)![0]),
    values: fieldsOf(fields.get(5)![0])
      .get(1)!
      .map(fieldsOf)
      .map((value) => [value.get(1)!.toString(), value.get(2)![0].readFloatLE()]),
  }));
  expect(scalars).toEqual([
    {
      step: 1,
      values: [
        ["loss", 0.5],
        ["learning rate", Math.fround(0.01)],
      ],
    },
    { step: 300, values: [["loss", 0]] },
  ]);
});

test("curves of a model and of the parts of a model made of models; nothing is left where there are none", async () => {
  const folder = temporaryFolder();
  const none = openCurves({ folder, label: "popularity", model: "popularity" });
  none.take({ stage: "popularity", done: 1, total: 1 });
  await none.close();
  expect(existsSync(join(folder, "popularity"))).toBe(false);
  const curves = openCurves({ folder, label: "both", model: "two-stage", part: "test", fold: 2 });
  curves.take({ stage: "als", done: 1, total: 2, loss: 3 });
  curves.take({ stage: "dcn", done: 1, total: 2, loss: 2, validation: -1, learningRate: 0.5 });
  await curves.close();
  const place = join(folder, "both", "test-2");
  const events = recordsOf(readFileSync(join(place, readdirSync(place)[0]))).map(fieldsOf);
  const tags = events.slice(2).map((fields) =>
    fieldsOf(fields.get(5)![0])
      .get(1)!
      .map((value) => fieldsOf(value).get(1)!.toString()),
  );
  expect(tags).toEqual([["als/loss"], ["dcn/loss", "dcn/validation", "dcn/learning rate"]]);
});

test("a folder that cannot be written is an error when the training ends", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "als"), "a file");
  const file = createEventFile(join(folder, "als"));
  file.add(1, { loss: 1 });
  await expect(file.close()).rejects.toThrow(IoError);
});

/** The data of each record; both checksums of each must hold. */
function recordsOf(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(masked(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(masked(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Bit by bit, without a table. */
function masked(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  const whole = BigInt(~crc >>> 0);
  return Number((((whole >> 15n) | (whole << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

/** Fields of a protobuf message by number, each as its bytes; a lone text field reads with toString(). */
function fieldsOf(message: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  const end = (from: number) => {
    let at = from;
    while (message[at] & 0x80) at++;
    return at + 1;
  };
  for (let at = 0; at < message.length; ) {
    const key = varint(message.subarray(at));
    at = end(at);
    let next = at;
    if ((key & 7) === 0) next = end(at);
    else if ((key & 7) === 1) next = at + 8;
    else if ((key & 7) === 5) next = at + 4;
    else {
      const length = varint(message.subarray(at));
      at = end(at);
      next = at + length;
    }
    fields.set(key >>> 3, [...(fields.get(key >>> 3) ?? []), message.subarray(at, next)]);
    at = next;
  }
  return fields;
}

function varint(bytes: Uint8Array): number {
  let value = 0;
  for (let k = 0; ; k++) {
    value += (bytes[k] & 0x7f) * 2 ** (7 * k);
    if (!(bytes[k] & 0x80)) return value;
  }
}
