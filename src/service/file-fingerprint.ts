/** What tells whether a file is still the same. Called by prepare-data.ts and query-source.ts. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { CancelledError } from "../core/errors.js";
import { ioErrors } from "../store/durable-files.js";

/** sha256 of a file, read in a stream. */
export async function fileFingerprint(file: string, signal?: AbortSignal): Promise<string> {
  return ioErrors("read", file, async () => {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      if (signal?.aborted) throw new CancelledError();
      hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
  });
}
