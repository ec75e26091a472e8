/**
 * Keeps every recommendation that the server gave, one JSON object a line, appended to a file (`serve.log` of a recipe):
 * when, by which route, for whom, which items with which scores. Used by the routes that recommend.
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { RecommendAnswer, RecommendRequest } from "../service/recommend-service.js";
import { ioErrors } from "../store/durable-files.js";

export interface AnswerLog {
  /** Throws IoError when the file cannot be written. */
  open(): Promise<void>;
  /** Lines are written in order, in the background. */
  write(entry: { requestId: string; route: string; asked: RecommendRequest; answer: RecommendAnswer }): void;
  /** Waits for the lines that are not written yet. */
  close(): Promise<void>;
}

/** `onError` is told when lines cannot be written, once until it works again; answers are given all the same. */
export function createAnswerLog(file: string, onError: (error: unknown) => void): AnswerLog {
  let handle: FileHandle | undefined;
  let waiting: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failed = false;

  const flush = async () => {
    const lines = waiting.join("");
    waiting = [];
    if (lines === "" || !handle) return;
    try {
      await handle.appendFile(lines);
      failed = false;
    } catch (error) {
      if (!failed) onError(error);
      failed = true;
    }
  };

  return {
    async open() {
      await ioErrors("write", file, async () => {
        await mkdir(dirname(file), { recursive: true });
        handle = await open(file, "a");
      });
    },

    write({ requestId, route, asked: { user, history, basket, model }, answer: { items, modelVersion } }) {
      const given = items.map(({ itemId, score, source }) => ({ itemId, score, source }));
      const line = { time: new Date().toISOString(), requestId, route, user, history, basket, model, modelVersion, items: given };
      waiting.push(`${JSON.stringify(line)}\n`);
      writing = writing.then(flush);
    },

    async close() {
      await writing;
      await handle?.close();
      handle = undefined;
    },
  };
}
