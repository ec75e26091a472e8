/**
 * Generated features of songs, 90 each, for bench/content.bench.ts. Seeded. What a scan can leave out depends on how features hang
 * together, hence three kinds:
 *   songs:     variances along hidden directions fall as those of real timbre features do once standardised (e^(−k/16), mixed by rotations)
 *   raw:       the same beside one direction that all songs share, as in raw means and covariances, where it holds five sixths of the length
 *   isotropic: independent normals, the hardest for an index of any kind
 */
import { createRandom } from "#dist/core/random.js";

export type SongKind = "songs" | "raw" | "isotropic";

export const numFeatures = 90;

/** numSongs × 90, row-major. */
export function songFeatures(kind: SongKind, numSongs: number): Float32Array {
  const random = createRandom(17);
  const deviations = Array.from({ length: numFeatures }, (_, k) => (kind === "isotropic" ? 1 : Math.exp(-k / 32)));
  const total = Math.sqrt(deviations.reduce((sum, one) => sum + one * one, 0));
  const turns = Array.from({ length: 4 * numFeatures }, () => {
    const angle = 2 * Math.PI * random.uniform();
    const first = random.integer(numFeatures);
    return { first, second: (first + 1 + random.integer(numFeatures - 1)) % numFeatures, cos: Math.cos(angle), sin: Math.sin(angle) };
  });
  const values = new Float32Array(numSongs * numFeatures);
  const row = new Float64Array(numFeatures);
  for (let song = 0; song < numSongs; song++) {
    for (let k = 0; k < numFeatures; k++) row[k] = deviations[k] * random.normal();
    if (kind === "raw") row[0] = Math.sqrt(5) * total * (1 + 0.2 * random.normal());
    if (kind !== "isotropic")
      for (const { first, second, cos, sin } of turns) {
        const a = row[first];
        row[first] = cos * a - sin * row[second];
        row[second] = sin * a + cos * row[second];
      }
    values.set(row, song * numFeatures);
  }
  return values;
}
