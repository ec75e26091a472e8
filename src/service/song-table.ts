/**
 * The use case "songs": a folder of song files (HDF5), however many, becomes one table of 90 timbre features per song, csv or Parquet.
 * Rows are appended to TARGET.part as files are read, so that an interrupted call goes on where it was; the table appears when it is whole.
 */
import { createReadStream, existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, open, opendir, rm, truncate } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { CancelledError, ConfigError, DataError, NotFoundError, TastemakerError } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import { readSongFile } from "../data/readers/hdf5.js";
import { Session, text } from "../data/readers/session.js";
import { timbreFeatureNames, timbreFeatures } from "../data/timbre.js";
import { ioErrors, renameDurably, temporarySibling } from "../store/durable-files.js";

export interface SongTableOptions {
  /** What `songFiles` found in the folder. Default: it is asked. */
  files?: readonly string[];
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface SongTable {
  /** Absolute. */
  path: string;
  /** Rows of the table. */
  songs: number;
  /** Files that were left out, with the first reason. */
  leftOut: number;
  example?: { file: string; reason: string };
  /** Files that an interrupted call had read already. */
  continuedFrom: number;
}

const HEADER = `${["file", "song_id", "title", "artist", "year", ...timbreFeatureNames].join(",")}\n`;
/** Rows between two writes that are known to have reached the disk. */
const BATCH = 500;

/**
 * `target` ends in .csv or .parquet and must not exist yet. Throws ConfigError for a wrong target, NotFoundError for a folder without
 * .h5 files, DataError when not one can be read, CancelledError on `signal` (what was read is kept).
 */
export async function makeSongTable(
  folder: string,
  target: string,
  { files: found, signal, onProgress }: SongTableOptions = {},
): Promise<SongTable> {
  const path = resolve(target);
  if (!/\.(csv|parquet)$/.test(path))
    throw new ConfigError(`The table is to be called ${target}.`, { hint: "Give a name that ends in .csv or .parquet." });
  if (existsSync(path)) throw new ConfigError(`There is a file ${path} already.`, { hint: "Remove it first, or give another name." });
  const files = found ?? (await songFiles(folder));
  const part = `${path}.part`;
  await ioErrors("write", part, () => mkdir(dirname(part), { recursive: true }));
  const done = await readPart(part);
  const table: SongTable = { path, songs: 0, leftOut: 0, continuedFrom: done.size };
  let rows: string[] = [];
  const write = async () => {
    await ioErrors("write", part, () => appendDurably(part, rows.join("")));
    rows = [];
  };
  for (const [at, file] of files.entries()) {
    const name = relative(folder, file);
    let isSong = done.get(name);
    if (isSong === undefined) {
      const row = await rowOf(file, name, table);
      isSong = isSongRow(row);
      rows.push(row);
    }
    if (isSong) table.songs++;
    if (rows.length >= BATCH) await write();
    onProgress?.({ stage: "reading songs", done: at + 1, total: files.length });
    if (!signal?.aborted) continue;
    await write();
    throw new CancelledError("Reading songs was cancelled; what was read is kept.", { hint: "The same command goes on from there." });
  }
  await write();
  if (table.songs === 0)
    throw new DataError(
      `None of the ${files.length} files of ${folder} is a song: ${table.example?.reason ?? "all were left out before"}`,
      {
        hint: "Give a folder of song files of the Million Song Dataset.",
      },
    );
  await finish(part, path);
  return table;
}

/** A csv row; a file that is no song leaves a row with its name alone, which says that it was looked at. */
async function rowOf(file: string, name: string, table: SongTable): Promise<string> {
  try {
    const { songId, title, artist, year, timbre } = await readSongFile(file);
    const features = timbreFeatures(timbre);
    return `${[name, songId, title, artist].map(cell).join(",")},${year},${features.join(",")}\n`;
  } catch (error) {
    if (!(error instanceof TastemakerError)) throw error;
    table.leftOut++;
    table.example ??= { file, reason: error.message };
    return `${cell(name)}\n`;
  }
}

/** Always quoted; control characters become spaces, so that every row is a line. */
const cell = (value: string): string => `"${value.replace(/\p{Cc}+/gu, " ").replaceAll('"', '""')}"`;

/** All .h5 files below a folder, in order of their names. Throws NotFoundError when there is none. */
export async function songFiles(folder: string): Promise<string[]> {
  if (!existsSync(folder)) throw new NotFoundError(`There is no folder ${folder}.`, { hint: "Give the folder of the .h5 files." });
  const files: string[] = [];
  await ioErrors("read", folder, async () => {
    for await (const entry of await opendir(folder, { recursive: true }))
      if (entry.isFile() && entry.name.endsWith(".h5")) files.push(join(entry.parentPath, entry.name));
  });
  if (files.length === 0) throw new NotFoundError(`There is no .h5 file in ${folder}.`, { hint: "Give the folder of the .h5 files." });
  return files.sort();
}

/**
 * The files that were looked at, true for songs; a row that was cut off is taken away. Starts the part where there is none.
 * Read line by line: a million songs are more than a string can hold.
 */
async function readPart(part: string): Promise<Map<string, boolean>> {
  const known = new Map<string, boolean>();
  let whole = 0; // bytes up to the end of the last whole line
  if (existsSync(part))
    await ioErrors("read", part, async () => {
      let rest: Buffer = Buffer.alloc(0);
      for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) {
        const bytes = Buffer.concat([rest, chunk as Buffer]);
        let from = 0;
        for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
          const line = bytes.toString("utf8", from, end);
          const match = firstCell.exec(line); // the header has none
          if (match) known.set(match[1].replaceAll('""', '"'), isSongRow(line));
          from = end + 1;
        }
        whole += from;
        rest = bytes.subarray(from);
      }
      if (rest.length > 0) await truncate(part, whole);
    });
  if (whole === 0) await ioErrors("write", part, () => appendDurably(part, HEADER));
  return known;
}

const LINE_FEED = 10;

const firstCell = /^"((?:[^"]|"")*)"/;

const isSongRow = (row: string): boolean => row.charAt(firstCell.exec(row)![0].length) === ",";

async function appendDurably(file: string, content: string): Promise<void> {
  await appendFile(file, content);
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The whole table under its name, without the rows of files that were left out. */
async function finish(part: string, path: string): Promise<void> {
  const session = await Session.open({ file: part });
  try {
    const made = join(session.folder, "table");
    const format = path.endsWith(".parquet") ? "FORMAT parquet" : "FORMAT csv, HEADER";
    const types = ["file", "song_id", "title", "artist"].map((column) => `'${column}': 'VARCHAR'`).join(", ");
    await session.run(`COPY (SELECT * FROM read_csv(${text(part)}, header = true, null_padding = true, parallel = false, types = {${types}})
      WHERE year IS NOT NULL) TO ${text(made)} (${format})`);
    const beside = temporarySibling(path);
    await ioErrors("write", path, async () => {
      await copyFile(made, beside); // the engine's folder may be on another disk
      await renameDurably(beside, path);
    });
  } finally {
    await session.close();
  }
  await ioErrors("remove", part, () => rm(part));
}
