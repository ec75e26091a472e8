/**
 * Song files of the Million Song Dataset (HDF5): who and what the song is, and its timbre by segment. Read by h5wasm, the HDF5 library
 * as WebAssembly. Called by service/song-table.ts.
 */
import { DataError, NotFoundError, TastemakerError } from "../../core/errors.js";

export interface Song {
  songId: string;
  title: string;
  artist: string;
  /** 0 = unknown, as in the files. */
  year: number;
  /** Segments × 12, row-major. */
  timbre: Float64Array;
}

/** What we use of an opened file; the package's own types are wider. */
interface H5Dataset {
  readonly shape: number[] | null;
  readonly dtype: unknown;
  readonly value: unknown;
}

/** Throws NotFoundError, or DataError when the file is no HDF5 file or lacks one of the parts. */
export async function readSongFile(path: string): Promise<Song> {
  const { default: h5wasm } = await import("h5wasm/node");
  const { activate_throwing_error_handler: throwErrors } = await h5wasm.ready;
  throwErrors(); // otherwise it prints them, and goes on with nothing
  const { existsSync } = await import("node:fs");
  if (!existsSync(path)) throw new NotFoundError(`There is no file ${path}.`, { hint: "Give the path of a .h5 file." });
  let file: InstanceType<typeof h5wasm.File> | undefined;
  try {
    file = new h5wasm.File(path, "r");
    const dataset = (name: string): H5Dataset => {
      const found = file!.get(name) as H5Dataset | null;
      if (found) return found;
      throw new DataError(`${path} has no ${name}.`, { hint: "It is no song file of the Million Song Dataset, or it is cut off." });
    };
    const timbre = dataset("analysis/segments_timbre");
    if (timbre.shape?.length !== 2 || timbre.shape[1] !== 12)
      throw new DataError(`${path}: analysis/segments_timbre is ${timbre.shape?.join(" × ") ?? "empty"}, expected n × 12.`, {
        hint: "Leave the file out.",
      });
    const song = fieldsOf(dataset("metadata/songs"));
    const { year } = fieldsOf(dataset("musicbrainz/songs"));
    return {
      songId: String(song.song_id ?? ""),
      title: String(song.title ?? ""),
      artist: String(song.artist_name ?? ""),
      year: Number(year ?? 0),
      timbre: Float64Array.from(timbre.value as Float64Array),
    };
  } catch (error) {
    if (error instanceof TastemakerError) throw error;
    throw new DataError(`${path} cannot be read as HDF5.`, { hint: "The file may be damaged or cut off.", cause: error });
  } finally {
    file?.close();
  }
}

/** The fields of the first row of a compound dataset. */
function fieldsOf({ dtype, value }: H5Dataset): Record<string, unknown> {
  const names = Array.isArray(dtype) ? (dtype as [string, unknown][]).map(([name]) => name) : [];
  const [row] = Array.isArray(value) ? (value as unknown[][]) : [];
  return Object.fromEntries(names.map((name, k) => [name, row?.[k]]));
}
