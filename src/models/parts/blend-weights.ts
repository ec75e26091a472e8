/**
 * Weights of a linear blend from held-out questions, in two steps:
 *   1. conditional logit: maximise mean_q mean_{i relevant} log softmax_i(Σ_m w_m f_m(q, i)) − ½ ridge ‖w‖² over w ≥ 0 (concave):
 *      Newton's method, each quadratic model maximised within the bound by coordinate ascent;
 *   2. coordinate ascent of the list metric itself, each weight scaled up and down until nothing helps: from there, from the same without
 *      regard to what the items of a question stand for, and from the best single feature; the best end is taken.
 * Weights are not negative: the questions show few of the items that no model puts high, so nothing would keep a negative weight from
 * lifting those. The items of a question are its relevant ones, the best of every model, and some at random. Called by blend-learning.ts.
 */

/** Items of all questions behind one another. */
export interface BlendQuestions {
  /** Items of question q: [offsets[q], offsets[q + 1]). */
  offsets: Int32Array;
  /** One array per feature, a value per item. */
  features: readonly Float32Array[];
  /** How often the item is relevant, 0 for most. */
  relevance: Float32Array;
  /** How many items of the catalogue it stands for: 1, more for those drawn at random. */
  multiplicity: Float32Array;
}

export interface ListObjective {
  /** precision counts repeated relevant items repeatedly, ndcg each once. */
  objective: "ndcg" | "precision";
  topK: number;
}

const RIDGE = 1e-3;
const NEWTON_STEPS = 30;
const QUADRATIC_PASSES = 1000;
const SCALES = [0, 0.5, 0.75, 0.9, 1.1, 1.35, 2];
/** What a weight of 0 may become, as a share of the largest. */
const ENTRIES = [0.03, 0.1, 0.3, 1];
const PASSES = 6;
/** A smaller gain is noise. */
const LEAST_GAIN = 1e-6;

/** One weight per feature, the largest in size being 1: order is all that matters. */
export function learnWeights(questions: BlendQuestions, objective: ListObjective): Float64Array {
  const alone = questions.features.map((_, m) => Float64Array.from(questions.features, (_, n) => (m === n ? 1 : 0)));
  const asShown = { ...questions, multiplicity: new Float32Array(questions.multiplicity.length).fill(1) };
  const ends = [conditionalLogit(questions), conditionalLogit(asShown), bestOf(questions, alone, objective)].map((start) =>
    ascend(questions, start, objective),
  );
  const weights = bestOf(questions, ends, objective);
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return largest > 0 ? weights.map((weight) => weight / largest) : weights.fill(1);
}

/** Σ_m w_m f_m of every item. */
export function blendScores({ features, relevance }: BlendQuestions, weights: Float64Array): Float64Array {
  const scores = new Float64Array(relevance.length);
  features.forEach((feature, m) => {
    const weight = weights[m];
    if (weight !== 0) for (let i = 0; i < scores.length; i++) scores[i] += weight * feature[i];
  });
  return scores;
}

function conditionalLogit(questions: BlendQuestions): Float64Array {
  let weights = new Float64Array(questions.features.length);
  let value = logLikelihood(questions, weights);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const direction = newtonDirection(questions, weights);
    let gain = 0;
    for (let scale = 1; scale > 1e-4 && gain <= 0; scale /= 2) {
      const trial = weights.map((weight, m) => Math.max(0, weight + scale * direction[m])); // max: rounding only
      gain = logLikelihood(questions, trial) - value;
      if (gain > 0) weights = trial;
    }
    if (gain < 1e-9) break;
    value += gain;
  }
  return weights;
}

function logLikelihood(questions: BlendQuestions, weights: Float64Array): number {
  const { offsets, relevance, multiplicity } = questions;
  const numQuestions = offsets.length - 1;
  const scores = blendScores(questions, weights);
  let sum = 0;
  for (let q = 0; q < numQuestions; q++) {
    const [from, to] = [offsets[q], offsets[q + 1]];
    let most = -Infinity;
    let relevant = 0;
    for (let i = from; i < to; i++) {
      if (scores[i] > most) most = scores[i];
      relevant += relevance[i];
    }
    let total = 0;
    let own = 0;
    for (let i = from; i < to; i++) {
      total += multiplicity[i] * Math.exp(scores[i] - most);
      if (relevance[i] > 0) own += (relevance[i] / relevant) * scores[i];
    }
    sum += own - most - Math.log(total);
  }
  return sum / numQuestions - (RIDGE / 2) * weights.reduce((squares, weight) => squares + weight * weight, 0);
}

/** The step to the maximum of the quadratic model of the mean log likelihood over weights that are not negative. */
function newtonDirection(questions: BlendQuestions, weights: Float64Array): Float64Array {
  const { offsets, features, relevance, multiplicity } = questions;
  const size = features.length;
  const numQuestions = offsets.length - 1;
  const scores = blendScores(questions, weights);
  const gradient = weights.map((weight) => -RIDGE * weight);
  const curvature = Array.from({ length: size }, (_, m) => Float64Array.from({ length: size }, (_, n) => (m === n ? RIDGE : 0)));
  const mean = new Float64Array(size);
  for (let q = 0; q < numQuestions; q++) {
    const [from, to] = [offsets[q], offsets[q + 1]];
    let most = -Infinity;
    let relevant = 0;
    for (let i = from; i < to; i++) {
      if (scores[i] > most) most = scores[i];
      relevant += relevance[i];
    }
    let total = 0;
    for (let i = from; i < to; i++) {
      scores[i] = multiplicity[i] * Math.exp(scores[i] - most);
      total += scores[i];
    }
    mean.fill(0);
    for (let i = from; i < to; i++) {
      scores[i] /= total; // now the chance of the item
      for (let m = 0; m < size; m++) mean[m] += scores[i] * features[m][i];
    }
    for (let m = 0; m < size; m++) {
      const [one, rows] = [features[m], curvature[m]];
      for (let i = from; i < to; i++) {
        gradient[m] += ((relevance[i] / relevant - scores[i]) * one[i]) / numQuestions;
        const weighted = (scores[i] * (one[i] - mean[m])) / numQuestions;
        for (let n = 0; n <= m; n++) rows[n] += weighted * features[n][i];
      }
    }
  }
  for (let m = 0; m < size; m++) for (let n = 0; n < m; n++) curvature[n][m] = curvature[m][n];
  return boundedStep(curvature, gradient, weights);
}

/** Maximises gᵀd − ½ dᵀHd over d ≥ −w, one coordinate after the other; H positive definite. */
function boundedStep(curvature: readonly Float64Array[], gradient: Float64Array, weights: Float64Array): Float64Array {
  const step = new Float64Array(gradient.length);
  for (let pass = 0; pass < QUADRATIC_PASSES; pass++) {
    let largest = 0;
    for (let m = 0; m < step.length; m++) {
      let slope = gradient[m];
      for (let n = 0; n < step.length; n++) slope -= curvature[m][n] * step[n];
      const next = Math.max(-weights[m], step[m] + slope / curvature[m][m]);
      largest = Math.max(largest, Math.abs(next - step[m]));
      step[m] = next;
    }
    if (largest < 1e-9) break;
  }
  return step;
}

function bestOf(questions: BlendQuestions, candidates: readonly Float64Array[], objective: ListObjective): Float64Array {
  const values = candidates.map((weights) => listMetric(questions, blendScores(questions, weights), objective));
  return candidates[values.indexOf(Math.max(...values))];
}

function ascend(questions: BlendQuestions, start: Float64Array, objective: ListObjective): Float64Array {
  const weights = start.slice();
  let scores = blendScores(questions, weights);
  let value = listMetric(questions, scores, objective);
  for (let pass = 0; pass < PASSES; pass++) {
    const before = value;
    for (const [m, feature] of questions.features.entries()) {
      const largest = weights.reduce((a, b) => Math.max(a, b), 0);
      for (const next of weights[m] > 0 ? SCALES.map((scale) => scale * weights[m]) : ENTRIES.map((share) => share * largest)) {
        const change = next - weights[m];
        const trial = scores.map((score, i) => score + change * feature[i]);
        const reached = listMetric(questions, trial, objective);
        if (reached <= value + LEAST_GAIN) continue;
        weights[m] = next;
        scores = trial;
        value = reached;
      }
    }
    if (value === before) break;
  }
  return weights;
}

/**
 * Mean over questions; a relevant item stands behind all others of its score. Else weights that tell nothing apart would profit from the
 * relevant items being among the few that a question shows.
 */
export function listMetric({ offsets, relevance }: BlendQuestions, scores: Float64Array, { objective, topK }: ListObjective): number {
  const numQuestions = offsets.length - 1;
  const top = new Float64Array(topK);
  const gain = new Float64Array(topK);
  const discount = Float64Array.from({ length: topK }, (_, place) => 1 / Math.log2(place + 2));
  let sum = 0;
  for (let q = 0; q < numQuestions; q++) {
    let held = 0;
    let relevant = 0;
    for (let i = offsets[q]; i < offsets[q + 1]; i++) {
      if (relevance[i] > 0) relevant++;
      const ahead = (place: number) => scores[i] > top[place] || (scores[i] === top[place] && relevance[i] === 0 && gain[place] > 0);
      if (held === topK && !ahead(topK - 1)) continue;
      let place = held < topK ? held++ : topK - 1;
      for (; place > 0 && ahead(place - 1); place--) {
        top[place] = top[place - 1];
        gain[place] = gain[place - 1];
      }
      top[place] = scores[i];
      gain[place] = relevance[i];
    }
    let [reached, ideal] = [0, 0];
    for (let place = 0; place < topK; place++) {
      if (objective === "precision") reached += place < held ? gain[place] / topK : 0;
      else {
        if (place < held && gain[place] > 0) reached += discount[place];
        if (place < relevant) ideal += discount[place];
      }
    }
    sum += objective === "precision" ? reached : reached / ideal;
  }
  return sum / numQuestions;
}
