/** Timbre features against an independent form of them, and the reader of song files on files that it makes itself. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { readSongFile } from "../../src/data/readers/hdf5.js";
import { timbreFeatureNames, timbreFeatures } from "../../src/data/timbre.js";
import { expectError } from "../support/errors.js";
import { songFile } from "../support/song-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const real = join(process.env.TASTEMAKER_DATA ?? "", "msd", "TRAAABD128F429CF47.h5");

if (!existsSync(real)) console.log("real song files are skipped: TASTEMAKER_DATA does not name a folder with msd/");

/** Σ xᵢxⱼ − n x̄ᵢx̄ⱼ over n − 1. */
function byRawMoments(timbre: Float64Array): number[] {
  const n = timbre.length / 12;
  const sum = (value: (row: number) => number) => Array.from({ length: n }, (_, row) => value(row)).reduce((a, b) => a + b, 0);
  const means = Array.from({ length: 12 }, (_, i) => sum((row) => timbre[row * 12 + i]) / n);
  const covariances: number[] = [];
  for (let i = 0; i < 12; i++)
    for (let j = 0; j <= i; j++)
      covariances.push((sum((row) => timbre[row * 12 + i] * timbre[row * 12 + j]) - n * means[i] * means[j]) / (n - 1));
  return [...means, ...covariances];
}

describe("timbre features", () => {
  test("are 12 means and the lower triangle of the covariance", () => {
    const random = createRandom(5);
    const timbre = Float64Array.from({ length: 40 * 12 }, (_, k) => (k % 12) + (1 + (k % 5)) * random.normal());
    const features = timbreFeatures(timbre);
    expect(features.length).toBe(90);
    byRawMoments(timbre).forEach((value, k) => {
      expect(features[k]).toBeCloseTo(value, 9);
    });
    expect(timbreFeatureNames.length).toBe(90);
    expect([timbreFeatureNames[12], timbreFeatureNames[13], timbreFeatureNames[89]]).toEqual(["cov_1_1", "cov_2_1", "cov_12_12"]);
  });

  test("need two segments of finite values", async () => {
    await expectError(() => timbreFeatures(new Float64Array(12)), "E_DATA", /12 values/);
    await expectError(() => timbreFeatures(new Float64Array(30)), "E_DATA", /30 values/);
    await expectError(() => timbreFeatures(new Float64Array(24).fill(Number.NaN)), "E_DATA", /not finite/);
  });
});

describe("song files", () => {
  test("give the song and its timbre", async () => {
    const timbre = Float64Array.from({ length: 36 }, (_, k) => k / 7);
    const file = await songFile(join(temporaryFolder(), "a.h5"), { songId: "SO1", title: "Señor 日本", artist: "Ada", year: 1998, timbre });
    expect(await readSongFile(file)).toEqual({ songId: "SO1", title: "Señor 日本", artist: "Ada", year: 1998, timbre });
  });

  test("are refused with their name where a part is missing or the file is none", async () => {
    const folder = temporaryFolder();
    const without = await songFile(join(folder, "without.h5"), { songId: "SO1", title: "t", artist: "a", year: 0 });
    await expectError(readSongFile(without), "E_DATA", /without\.h5 has no analysis\/segments_timbre/);
    writeFileSync(join(folder, "text.h5"), "no HDF5");
    await expectError(readSongFile(join(folder, "text.h5")), "E_DATA", /text\.h5 cannot be read/);
    await expectError(readSongFile(join(folder, "none.h5")), "E_NOT_FOUND", /none\.h5/);
  });

  test.skipIf(!existsSync(real))("of the Million Song Dataset are read", async () => {
    const song = await readSongFile(real);
    expect(song).toMatchObject({ songId: "SOCIWDW12A8C13D406", title: "Soul Deep", artist: "The Box Tops" });
    expect(song.timbre.length).toBe(550 * 12);
    byRawMoments(song.timbre).forEach((value, k) => {
      expect(Math.abs(timbreFeatures(song.timbre)[k] - value)).toBeLessThan(1e-6);
    });
  });
});
