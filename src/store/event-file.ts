/**
 * TensorBoard event files: scalars by step, as TensorBoard and its Python package read them. A file is a sequence of TFRecords
 *   length uint64 · masked crc32c of it · data · masked crc32c of the data,   masked = rotate right by 15 (crc) + 0xa282ead8, little endian
 * of Event messages (tensorflow/core/util/event.proto), of which only the fields below are written. Called by service/curves.ts.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import protobuf from "protobufjs/light.js";
import { ioErrors } from "./durable-files.js";

const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: { type: "double", id: 1 },
        step: { type: "int64", id: 2 },
        fileVersion: { type: "string", id: 3 },
        summary: { type: "Summary", id: 5 },
        sessionLog: { type: "SessionLog", id: 7 },
      },
    },
    Summary: { fields: { value: { rule: "repeated", type: "Value", id: 1 } } },
    // one of several kinds of values, so that a 0 is written too
    Value: {
      oneofs: { value: { oneof: ["simpleValue"] } },
      fields: { tag: { type: "string", id: 1 }, simpleValue: { type: "float", id: 2 } },
    },
    SessionLog: { fields: { status: { type: "int32", id: 1 } } },
  },
});
const Event = root.lookupType("Event");

/** SessionLog.START: what the folder's earlier files say of this step and later ones no longer counts. */
const START = 1;

export interface EventFile {
  /** Adds one value per tag at a step; written in the background, in order. */
  add(step: number, values: Readonly<Record<string, number>>): void;
  /** Waits until everything is written. Throws IoError when something could not be. */
  close(): Promise<void>;
}

let made = 0;

/** A file in `folder`, both made by the first `add`: without values nothing is left behind. `now`: milliseconds, for the events' times. */
export function createEventFile(folder: string, now: () => number = Date.now): EventFile {
  let handle: FileHandle | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let failed: { error: unknown } | undefined;
  const start = async (step: number) => {
    await mkdir(folder, { recursive: true });
    const second = String(Math.floor(now() / 1000)).padStart(10, "0");
    handle = await open(join(folder, `events.out.tfevents.${second}.${hostname()}.${process.pid}.${made++}`), "wx");
    await handle.write(record({ wallTime: now() / 1000, fileVersion: "brain.Event:2" }));
    await handle.write(record({ wallTime: now() / 1000, step, sessionLog: { status: START } }));
  };
  return {
    add(step, values) {
      const value = Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue }));
      const bytes = record({ wallTime: now() / 1000, step, summary: { value } });
      last = last
        .then(() => {
          if (failed) return;
          return ioErrors("write", folder, async () => {
            if (!handle) await start(step);
            await handle!.write(bytes);
          });
        })
        .catch((error: unknown) => {
          failed ??= { error };
        });
    },
    async close() {
      await last;
      await handle?.close();
      if (failed) throw failed.error;
    },
  };
}

function record(event: Record<string, unknown>): Uint8Array {
  const data = Event.encode(event).finish();
  const out = Buffer.alloc(16 + data.length);
  out.writeBigUInt64LE(BigInt(data.length), 0);
  out.writeUInt32LE(maskedCrc(out.subarray(0, 8)), 8);
  out.set(data, 12);
  out.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return out;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's CRC-32 (RFC 3720), reflected polynomial 0x82f63b78; zlib has only the other one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
