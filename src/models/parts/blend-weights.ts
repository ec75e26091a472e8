/**
 * Weights of a linear blend from held-out questions, in two steps:
 *   1. conditional logit: maximise Σ_q mean_{i relevant} log softmax_i(Σ_m w_m f_m(q, i)) − ½ ridge ‖w‖² by Newton's method (concave);
 *   2. coordinate ascent of the list metric itself from there, each weight scaled up and down until nothing helps.
 * The items of a question are its relevant ones, the best of every model, and some at random. Called by blend.
 */

/** One question: features of its items, numItems × numFeatures row-major, and how often each item is relevant. */
export interface BlendQuestion {
  features: Float32Array;
  relevance: Float32Array;
}

export type BlendObjective = "ndcg" | "precision";

export interface WeightOptions {
  numFeatures: number;
  objective: BlendObjective;
  topK: number;
}

const RIDGE = 1e-3;
const NEWTON_STEPS = 30;
const SCALES = [0, 0.5, 0.75, 0.9, 1.1, 1.35, 2];
const PASSES = 6;
/** A smaller gain is noise. */
const LEAST_GAIN = 1e-6;

export function learnWeights(questions: readonly BlendQuestion[], options: WeightOptions): Float64Array {
  const weights = ascend(questions, conditionalLogit(questions, options.numFeatures), options);
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return largest > 0 ? weights.map((weight) => weight / largest) : weights.fill(1); // order is all that matters
}

function conditionalLogit(questions: readonly BlendQuestion[], size: number): Float64Array {
  let weights = new Float64Array(size);
  let value = logLikelihood(questions, weights).value;
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const { gradient, hessian } = logLikelihood(questions, weights);
    const direction = solve(hessian, gradient);
    let scale = 1;
    for (; scale > 1e-4; scale /= 2) {
      const trial = weights.map((weight, m) => weight + scale * direction[m]);
      const reached = logLikelihood(questions, trial).value;
      if (reached <= value) continue;
      const gain = reached - value;
      weights = trial;
      value = reached;
      if (gain < 1e-9) return weights;
      break;
    }
    if (scale <= 1e-4) break;
  }
  return weights;
}

/** Value, gradient and negative Hessian of the mean over questions, ridge included. */
function logLikelihood(questions: readonly BlendQuestion[], weights: Float64Array) {
  const size = weights.length;
  const gradient = weights.map((weight) => -RIDGE * weight);
  const hessian = Array.from({ length: size }, (_, m) => Float64Array.from({ length: size }, (_, n) => (m === n ? RIDGE : 0)));
  let value = (-RIDGE / 2) * weights.reduce((sum, weight) => sum + weight * weight, 0);
  for (const { features, relevance } of questions) {
    const scores = scoresOf(features, weights);
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const chances = scores.map((score) => Math.exp(score - most));
    const total = chances.reduce((a, b) => a + b, 0);
    const relevant = relevance.reduce((a, b) => a + b, 0);
    const mean = new Float64Array(size);
    const weighted = Array.from({ length: size }, () => new Float64Array(size));
    for (let i = 0; i < scores.length; i++) {
      const chance = chances[i] / total;
      const target = relevance[i] / relevant;
      if (target > 0) value += (target * (scores[i] - most - Math.log(total))) / questions.length;
      for (let m = 0; m < size; m++) {
        const feature = features[i * size + m];
        mean[m] += chance * feature;
        gradient[m] += ((target - chance) * feature) / questions.length;
        for (let n = 0; n <= m; n++) weighted[m][n] += chance * feature * features[i * size + n];
      }
    }
    for (let m = 0; m < size; m++) {
      for (let n = 0; n <= m; n++) {
        const covariance = (weighted[m][n] - mean[m] * mean[n]) / questions.length;
        hessian[m][n] += covariance;
        if (n < m) hessian[n][m] += covariance;
      }
    }
  }
  return { value, gradient, hessian };
}

/** Gaussian elimination of a small positive definite system. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  const rows = matrix.map((row, m) => Float64Array.of(...row, right[m]));
  for (let k = 0; k < size; k++) {
    for (let m = k + 1; m < size; m++) {
      const factor = rows[m][k] / rows[k][k];
      for (let n = k; n <= size; n++) rows[m][n] -= factor * rows[k][n];
    }
  }
  const out = new Float64Array(size);
  for (let k = size - 1; k >= 0; k--) {
    let sum = rows[k][size];
    for (let n = k + 1; n < size; n++) sum -= rows[k][n] * out[n];
    out[k] = sum / rows[k][k];
  }
  return out;
}

function ascend(questions: readonly BlendQuestion[], start: Float64Array, options: WeightOptions): Float64Array {
  let best = start;
  let value = listMetric(questions, best, options);
  for (let pass = 0; pass < PASSES; pass++) {
    const before = value;
    for (let m = 0; m < best.length; m++) {
      for (const scale of SCALES) {
        const trial = best.slice();
        trial[m] *= scale;
        const reached = listMetric(questions, trial, options);
        if (reached <= value + LEAST_GAIN) continue;
        best = trial;
        value = reached;
      }
    }
    if (value === before) break;
  }
  return best;
}

/** Mean over questions; precision counts repeated relevant items repeatedly, ndcg each once. */
export function listMetric(questions: readonly BlendQuestion[], weights: Float64Array, { objective, topK }: WeightOptions): number {
  let sum = 0;
  const top = new Float64Array(topK);
  const gain = new Float64Array(topK);
  for (const { features, relevance } of questions) {
    const scores = scoresOf(features, weights);
    let held = 0;
    for (let i = 0; i < scores.length; i++) {
      if (held === topK && scores[i] <= top[topK - 1]) continue;
      let place = held < topK ? held++ : topK - 1;
      for (; place > 0 && top[place - 1] < scores[i]; place--) {
        top[place] = top[place - 1];
        gain[place] = gain[place - 1];
      }
      top[place] = scores[i];
      gain[place] = relevance[i];
    }
    if (objective === "precision") {
      for (let place = 0; place < held; place++) sum += gain[place] / topK;
      continue;
    }
    let ideal = 0;
    let reached = 0;
    let relevant = 0;
    for (let i = 0; i < relevance.length; i++) if (relevance[i] > 0) relevant++;
    for (let place = 0; place < topK; place++) {
      const discount = 1 / Math.log2(place + 2);
      if (place < relevant) ideal += discount;
      if (place < held && gain[place] > 0) reached += discount;
    }
    sum += reached / ideal;
  }
  return sum / questions.length;
}

function scoresOf(features: Float32Array, weights: Float64Array): Float64Array {
  const size = weights.length;
  const scores = new Float64Array(features.length / size);
  for (let i = 0, at = 0; i < scores.length; i++) {
    let sum = 0;
    for (let m = 0; m < size; m++) sum += weights[m] * features[at++];
    scores[i] = sum;
  }
  return scores;
}
