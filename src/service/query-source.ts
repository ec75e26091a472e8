/**
 * The source of a recipe that is a query: its result lies in the workspace, named after everything it follows from, and is made
 * only when it is not there. Called by prepare-data.ts.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NotFoundError } from "../core/errors.js";
import { type SqlTable, writeQuery } from "../data/readers/sql-source.js";
import { ioErrors, renameDurably, temporarySibling } from "../store/durable-files.js";
import { tastemakerVersion } from "../store/version.js";
import { fileFingerprint } from "./file-fingerprint.js";
import { type Recipe, resolveSourceFile } from "./recipe/recipe.js";
import type { RunOptions } from "./run-result.js";
import type { Workspace } from "./workspace.js";

const PREFIX = "query-";

export async function queryResult(
  { source, folder }: Recipe,
  workspace: Workspace,
  { dataFolder, threads, signal, onProgress }: RunOptions,
): Promise<string> {
  const place = { recipeFolder: folder, dataFolder };
  const sql = await readFile(resolveSourceFile(source.sql!, place), "utf8");
  const tables: Record<string, SqlTable> = {};
  const hash = createHash("sha256").update(JSON.stringify([tastemakerVersion, sql, source.parameters ?? {}, source.passes]));
  for (const [table, named] of Object.entries(source.tables!)) {
    const { files: wanted, ...about } = typeof named === "string" || Array.isArray(named) ? { files: named } : named;
    const files = (await Promise.all([wanted].flat().map((file) => filesOf(file, place)))).flat();
    tables[table] = { files, ...about };
    if (Object.keys(about).length > 0) hash.update(JSON.stringify(about));
    for (const file of files) hash.update(`\n${table} ${basename(file)} ${await fileFingerprint(file, signal)}`);
  }
  const data = join(workspace.folder, "data");
  const target = join(data, `${PREFIX}${hash.digest("hex").slice(0, 16)}.parquet`);
  if (existsSync(target)) return target;
  await ioErrors("write", data, () => mkdir(data, { recursive: true }));
  const temporary = temporarySibling(target);
  await writeQuery({ sql, tables, parameters: source.parameters, passes: source.passes }, temporary, {
    memoryLimit: source.memoryLimit,
    threads,
    signal,
    onProgress,
  });
  await ioErrors("write", target, () => renameDurably(temporary, target));
  for (const other of await readdir(data))
    if (other.startsWith(PREFIX) && join(data, other) !== target) await ioErrors("remove", join(data, other), () => rm(join(data, other)));
  return target;
}

/** A file, or the files of a folder whose names fit a pattern with `*`, by name. Throws NotFoundError when there is none. */
async function filesOf(file: string, place: { recipeFolder: string; dataFolder?: string }): Promise<string[]> {
  const pattern = basename(file);
  if (!pattern.includes("*")) return [resolveSourceFile(file, place)];
  const folder = resolveSourceFile(dirname(file), place);
  const fits = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
  const found = (await ioErrors("read", folder, () => readdir(folder))).filter((one) => fits.test(one)).sort();
  if (found.length > 0) return found.map((one) => join(folder, one));
  throw new NotFoundError(`No file in ${folder} fits ${pattern}.`, { hint: "Check source.tables of the recipe.", details: { file } });
}
