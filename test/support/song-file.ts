/** Song files in the layout of the Million Song Dataset, for tests. */
import h5wasm from "h5wasm/node";
import type { Song } from "../../src/data/readers/hdf5.js";

/** Writes one; without timbre that part is left out. */
export async function songFile(
  path: string,
  { songId, title, artist, year, timbre }: Omit<Song, "timbre"> & Partial<Song>,
): Promise<string> {
  await h5wasm.ready;
  const file = new h5wasm.File(path, "w");
  const table = (group: string, columns: Record<string, [type: string, value: string | number]>) =>
    file.create_group(group).create_dataset({
      name: "songs",
      shape: [1],
      dtype: Object.entries(columns).map(([name, [type]]) => [name, type]) as never,
      data: new Map(Object.entries(columns).map(([name, [, value]]) => [name, [value]])) as never,
    });
  table("metadata", { artist_name: ["S1024", artist], song_id: ["S32", songId], title: ["S1024", title] });
  table("musicbrainz", { idx_artist_mbtags: ["<i", 0], year: ["<i", year] });
  const analysis = file.create_group("analysis");
  if (timbre) analysis.create_dataset({ name: "segments_timbre", data: timbre, shape: [timbre.length / 12, 12] });
  file.close();
  return path;
}
