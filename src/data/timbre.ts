/**
 * The 90 timbre features of a song: means of the 12 timbre coefficients over its segments, then the lower triangle, diagonal included,
 * of their sample covariance (n − 1), row by row: cov(1,1), cov(2,1), cov(2,2), cov(3,1) …
 * Bertin-Mahieux et al. (2011), The Million Song Dataset; the same 90 are those of its YearPrediction task. Called by readers/hdf5.ts.
 */
import { DataError } from "../core/errors.js";

const COEFFICIENTS = 12;

/** mean_1 … mean_12, cov_1_1, cov_2_1 … cov_12_12. */
export const timbreFeatureNames: readonly string[] = [
  ...Array.from({ length: COEFFICIENTS }, (_, i) => `mean_${i + 1}`),
  ...Array.from({ length: COEFFICIENTS }, (_, i) => Array.from({ length: i + 1 }, (_, j) => `cov_${i + 1}_${j + 1}`)).flat(),
];

/**
 * `timbre`: segments × 12, row-major. Sums are float64 over deviations from the mean.
 * Throws DataError for fewer than two segments, a length that is no multiple of 12, and values that are not finite.
 */
export function timbreFeatures(timbre: ArrayLike<number>): Float64Array {
  const segments = timbre.length / COEFFICIENTS;
  if (!Number.isInteger(segments) || segments < 2)
    throw new DataError(`The timbre has ${timbre.length} values, which is not two or more segments of ${COEFFICIENTS}.`, {
      hint: "Leave the song out; a covariance needs two segments.",
    });
  const features = new Float64Array(timbreFeatureNames.length);
  for (let k = 0; k < timbre.length; k++) features[k % COEFFICIENTS] += timbre[k] / segments;
  const deviations = Float64Array.from({ length: timbre.length }, (_, k) => timbre[k] - features[k % COEFFICIENTS]);
  let next = COEFFICIENTS;
  for (let i = 0; i < COEFFICIENTS; i++)
    for (let j = 0; j <= i; j++, next++) {
      for (let at = 0; at < deviations.length; at += COEFFICIENTS) features[next] += deviations[at + i] * deviations[at + j];
      features[next] /= segments - 1;
    }
  if (features.every(Number.isFinite)) return features;
  throw new DataError("The timbre holds values that are not finite.", { hint: "Leave the song out, or read its file again." });
}
