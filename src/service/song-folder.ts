/**
 * A folder of song files (.h5) as the table of a recipe: 90 timbre features per song, made once in the workspace and again when the
 * folder has other files. Called by side-features.ts.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { throwIfCancelled } from "../core/errors.js";
import { ioErrors } from "../store/durable-files.js";
import type { RunOptions } from "./run-result.js";
import { makeSongTable, songFiles } from "./song-table.js";

const PREFIX = "songs-";

/** Path of the table. An interrupted call goes on where it was. Throws what `makeSongTable` throws. */
export async function songFolderTable(
  folder: string,
  workspaceFolder: string,
  { signal, onProgress }: Pick<RunOptions, "signal" | "onProgress">,
): Promise<string> {
  const files = await songFiles(folder);
  const hash = createHash("sha256");
  for (const file of files) {
    throwIfCancelled(signal);
    const { size, mtimeMs } = await ioErrors("read", file, () => stat(file));
    hash.update(`${relative(folder, file)}\n${size} ${mtimeMs}\n`); // the contents of a million files would take hours
  }
  const data = join(workspaceFolder, "data");
  const target = join(data, `${PREFIX}${hash.digest("hex").slice(0, 16)}.parquet`);
  if (existsSync(target)) return target;
  await ioErrors("write", data, () => mkdir(data, { recursive: true }));
  await makeSongTable(folder, target, { files, signal, onProgress });
  for (const other of await readdir(data))
    if (other.startsWith(PREFIX) && join(data, other) !== target) await ioErrors("remove", join(data, other), () => rm(join(data, other)));
  return target;
}
