/** Reads a small text file; a missing one is a NotFoundError that says where it was looked for. */
import { readFile } from "node:fs/promises";
import { IoError, NotFoundError } from "../../core/errors.js";

export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw new NotFoundError(`There is no file ${file}.`, {
        hint: "Name the folder that holds the data sets with --data or TASTEMAKER_DATA.",
        cause,
      });
    }
    throw new IoError(`${file} cannot be read: ${(cause as Error).message}.`, { hint: "Check the permissions of the file.", cause });
  }
}
