/** From a folder of song files to a table, also when it is interrupted. */
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createIdMap } from "../../src/data/id-map.js";
import { readFeatureTable } from "../../src/data/readers/read-features.js";
import { timbreFeatureNames, timbreFeatures } from "../../src/data/timbre.js";
import { makeSongTable } from "../../src/service/song-table.js";
import { expectError } from "../support/errors.js";
import { songFile } from "../support/song-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

async function songs(count: number) {
  const folder = join(temporaryFolder(), "songs");
  mkdirSync(join(folder, "A"), { recursive: true });
  const random = createRandom(9);
  const timbres: Float64Array[] = [];
  for (let s = 0; s < count; s++) {
    timbres.push(Float64Array.from({ length: 12 * (3 + s) }, () => random.normal()));
    await songFile(join(folder, "A", `s${s}.h5`), {
      songId: `SO${s}`,
      title: `"Title", ${s}\n`,
      artist: "Ada",
      year: 1990 + s,
      timbre: timbres[s],
    });
  }
  return { folder, timbres };
}

describe("song table", () => {
  test.each(["songs.csv", "songs.parquet"])("%s holds the features of every song, and says what was left out", async (name) => {
    const { folder, timbres } = await songs(3);
    writeFileSync(join(folder, "broken.h5"), "no HDF5");
    await songFile(join(folder, "silent.h5"), { songId: "SO9", title: "", artist: "", year: 0, timbre: new Float64Array(12) });
    const target = join(folder, "..", name);
    const calls: number[] = [];
    const made = await makeSongTable(folder, target, { onProgress: ({ done }) => calls.push(done) });
    expect(made).toMatchObject({ path: target, songs: 3, leftOut: 2, continuedFrom: 0, example: { file: join(folder, "broken.h5") } });
    expect(calls).toEqual([1, 2, 3, 4, 5]);
    const { ids, alignedTo } = await readFeatureTable(target, "items", {
      id: "song_id",
      features: { timbre: { kind: "vector", columns: timbreFeatureNames }, title: { kind: "category" }, year: { kind: "number" } },
    });
    expect([...ids.ids()]).toEqual(["SO0", "SO1", "SO2"]);
    const { timbre, title, year } = alignedTo(createIdMap(["SO2", "SO0"])).columns;
    expect([...(timbre.values as Float32Array)]).toEqual([
      ...Float32Array.from([...timbreFeatures(timbres[2]), ...timbreFeatures(timbres[0])]),
    ]);
    expect(title.values).toEqual(['"Title", 2 ', '"Title", 0 ']);
    expect([...(year.values as Float32Array)]).toEqual([1992, 1990]);
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  test("goes on where it was interrupted, even in the middle of a row", async () => {
    const { folder } = await songs(4);
    const [whole, target] = ["whole.csv", "again.csv"].map((name) => join(folder, "..", name));
    await makeSongTable(folder, whole);
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 2 && controller.abort();
    await expectError(makeSongTable(folder, target, { signal: controller.signal, onProgress }), "E_CANCELLED", /kept/);
    expect(existsSync(target)).toBe(false);
    truncateSync(`${target}.part`, readFileSync(`${target}.part`).length - 100);
    expect(await makeSongTable(folder, target)).toMatchObject({ songs: 4, continuedFrom: 1 });
    expect(readFileSync(target, "utf8")).toBe(readFileSync(whole, "utf8"));
  });

  test("refuses what it cannot do", async () => {
    const { folder } = await songs(1);
    await expectError(makeSongTable(folder, join(folder, "songs.txt")), "E_CONFIG", /songs\.txt/);
    await expectError(makeSongTable(join(folder, "none"), join(folder, "a.csv")), "E_NOT_FOUND", /none/);
    const empty = temporaryFolder();
    await expectError(makeSongTable(empty, join(empty, "a.csv")), "E_NOT_FOUND", /no \.h5 file/);
    writeFileSync(join(empty, "x.h5"), "");
    await expectError(makeSongTable(empty, join(empty, "a.csv")), "E_DATA", /None of the 1 files/);
    writeFileSync(join(folder, "songs.csv"), "");
    await expectError(makeSongTable(folder, join(folder, "songs.csv")), "E_CONFIG", /already/);
  });
});
