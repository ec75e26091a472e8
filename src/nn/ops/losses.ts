/**
 * Losses with gradients in closed form: no one-hot rows, no dense (probabilities − targets). `weight` [n × 1] weighs rows, so that
 * rows of a partial batch weigh 0; with weights that sum to 1 a loss is a mean.
 */
import { constant, filled, type Tensor, withGradient } from "../tensor.js";
import { add, log, multiply, negate, sigmoid, softplus, subtract } from "./elementwise.js";
import { pick } from "./gather.js";
import { gemm } from "./matrix.js";
import { softmax } from "./normalize.js";
import { sum } from "./reduce.js";
import { concat, reshape, slice, split } from "./shape.js";

/** Keeps log away from 0. */
const TINY = 1e-30;

export interface FullSoftmaxInputs {
  /** n × d: what is scored against every item. */
  hidden: Tensor;
  /** numItems × d. */
  items: Tensor;
  /** n × d: items[target], gathered outside; the gradient of a target row is returned for it. */
  targetRows: Tensor;
  /** n × 1, int64. */
  target: Tensor;
  weight: Tensor;
  /** numItems: added to the scores; has no gradient (log corrections). */
  bias?: Tensor;
}

/**
 * Σ weight · −log softmax(hidden · itemsᵀ + bias)[target]: one product and one softmax forward, two products backward.
 *   d hidden = w (P · items − targetRows),  d items = Pᵀ (w hidden),  d targetRows = −w hidden
 */
export function fullSoftmaxLoss({ hidden, items, targetRows, target, weight, bias }: FullSoftmaxInputs): Tensor {
  const chances = softmax(gemm(hidden, items, { transposeB: true, bias }));
  const value = sum(multiply(negate(log(add(pick(chances, target), TINY))), weight));
  return withGradient(value, [hidden, items, targetRows], ([g]) => {
    const scale = multiply(weight, g!);
    const weighted = multiply(hidden, scale);
    return [multiply(subtract(gemm(chances, items), targetRows), scale), gemm(chances, weighted, { transposeA: true }), negate(weighted)];
  });
}

export interface SampledSoftmaxInputs {
  /** n × d. */
  hidden: Tensor;
  /** n × d: rows of the right items. */
  positives: Tensor;
  /** s × d: rows of negatives that all n share. */
  negatives: Tensor;
  /** n × 1 and s: −log of the expected count of the item in the sample (Bengio & Senécal 2008); 0 without correction. */
  positiveBias: Tensor;
  negativeBias: Tensor;
  weight: Tensor;
}

/** Softmax over the right item and shared negatives, as one product [hidden | positive score | 1] · [negatives, 0, bias; 0, 1, 0]ᵀ. */
export function sampledSoftmaxLoss({ hidden, positives, negatives, positiveBias, negativeBias, weight }: SampledSoftmaxInputs): Tensor {
  const { graph } = hidden.node;
  const [n, d] = hidden.shape as readonly number[];
  const [s] = negatives.shape as readonly number[];
  const positive = add(sum(multiply(hidden, positives), [-1], { keep: true }), positiveBias);
  const left = concat([hidden, positive, filled(graph, 1, [n, 1])], 1);
  const right = concat(
    [
      concat([negatives, filled(graph, 0, [s, 1]), reshape(negativeBias, [s, 1])], 1),
      constant(
        graph,
        Array.from({ length: d + 2 }, (_, k) => (k === d ? 1 : 0)),
        [1, d + 2],
      ),
    ],
    0,
  );
  const chances = softmax(gemm(left, right, { transposeB: true }));
  const [drawn, chance] = split(gemm(chances, right), [d, 1, 1], 1); // Σ p · negative, and the right item's p
  const value = sum(multiply(negate(log(add(chance, TINY))), weight));
  return withGradient(value, [hidden, positives, negatives], ([g]) => {
    const scale = multiply(weight, g!);
    const missing = multiply(subtract(chance, 1), scale);
    return [
      add(multiply(drawn, scale), multiply(positives, missing)),
      multiply(hidden, missing),
      slice(gemm(chances, multiply(hidden, scale), { transposeA: true }), 0, [0, s]),
    ];
  });
}

/** How much BPR-max holds the scores of negatives near 0. */
const BPR_MAX_REGULARIZATION = 1;

/**
 * BPR-max (Hidasi & Karatzoglou 2018), shapes as in `sampledSoftmaxLoss`, over shared negatives j with shares s = softmax of their scores r:
 *   Σ weight · (−log Σ_j s_j σ(r_positive − r_j) + regularization · Σ_j s_j r_j²)
 */
export function bprMaxLoss({
  hidden,
  positives,
  negatives,
  weight,
}: Pick<SampledSoftmaxInputs, "hidden" | "positives" | "negatives" | "weight">): Tensor {
  const positive = sum(multiply(hidden, positives), [-1], { keep: true });
  const drawn = gemm(hidden, negatives, { transposeB: true });
  const shares = softmax(drawn);
  const mean = (x: Tensor) => sum(multiply(shares, x), [-1], { keep: true });
  const ahead = negate(log(add(mean(sigmoid(subtract(positive, drawn))), TINY)));
  return sum(multiply(add(ahead, multiply(mean(multiply(drawn, drawn)), BPR_MAX_REGULARIZATION)), weight));
}

/** Softmax in which row k's right answer is column k and the other rows' answers are its negatives; `bias` [n] corrects for their popularity. */
export function inBatchSoftmaxLoss({
  queries,
  candidates,
  weight,
  bias,
}: {
  queries: Tensor;
  candidates: Tensor;
  weight: Tensor;
  bias?: Tensor;
}): Tensor {
  const { graph } = queries.node;
  const [n] = queries.shape as readonly number[];
  const target = constant(
    graph,
    Array.from({ length: n }, (_, k) => k),
    [n, 1],
    "int64",
  );
  const chances = softmax(gemm(queries, candidates, { transposeB: true, bias }));
  const value = sum(multiply(negate(log(add(pick(chances, target), TINY))), weight));
  return withGradient(value, [queries, candidates], ([g]) => {
    const scale = multiply(weight, g!);
    const weighted = multiply(queries, scale);
    return [
      multiply(subtract(gemm(chances, candidates), candidates), scale),
      subtract(gemm(chances, weighted, { transposeA: true }), weighted),
    ];
  });
}

export interface MultinomialInputs {
  /** n × d. */
  hidden: Tensor;
  /** numItems × d, and numItems. */
  items: Tensor;
  bias: Tensor;
  /** n × numItems: how often each item was drawn; 0 for most. */
  counts: Tensor;
  weight: Tensor;
}

/** Σ weight · −Σ_i count_i log softmax(hidden · itemsᵀ + bias)_i (Liang et al. 2018); d scores = (Σ count) P − counts. */
export function multinomialLoss({ hidden, items, bias, counts, weight }: MultinomialInputs): Tensor {
  const chances = softmax(gemm(hidden, items, { transposeB: true, bias }));
  const likelihood = sum(multiply(counts, log(add(chances, TINY))), [-1], { keep: true });
  return withGradient(sum(multiply(negate(likelihood), weight)), [hidden, items, bias], ([g]) => {
    const total = sum(counts, [-1], { keep: true });
    const error = multiply(subtract(multiply(chances, total), counts), multiply(weight, g!));
    return [gemm(error, items), gemm(error, hidden, { transposeA: true }), sum(error, [0])];
  });
}

/** Σ weight · (softplus(x) − target · x): binary cross-entropy of sigmoid(x); targets in [0, 1], all n × 1. */
export function binaryCrossEntropy(logits: Tensor, target: Tensor, weight: Tensor): Tensor {
  const value = sum(multiply(subtract(softplus(logits), multiply(target, logits)), weight));
  return withGradient(value, [logits], ([g]) => [multiply(subtract(sigmoid(logits), target), multiply(weight, g!))]);
}

/** Σ weight · softplus(negative − positive): −log sigmoid of the margin (Rendle et al. 2009). */
export const pairwiseLoss = (positive: Tensor, negative: Tensor, weight: Tensor): Tensor =>
  sum(multiply(softplus(subtract(negative, positive)), weight));

/** Σ weight · (value − target)². */
export function squaredError(value: Tensor, target: Tensor, weight: Tensor): Tensor {
  const error = subtract(value, target);
  return sum(multiply(multiply(error, error), weight));
}

/**
 * Σ weight · (power · softplus(−positive score) + Σ_s softplus(negative score_s)): binary cross-entropy over the right item and the
 * shared negatives, the right one's chance raised to a power below 1, because so few negatives make a network too sure (gBCE, Petrov &
 * Macdonald 2023, gSASRec). The paper divides by the number of terms, a constant that Adam takes out again. Shapes as in the sampled
 * softmax.
 */
export function generalizedCrossEntropy(
  { hidden, positives, negatives, weight }: Omit<SampledSoftmaxInputs, "positiveBias" | "negativeBias">,
  power: number,
): Tensor {
  const positive = sum(multiply(hidden, positives), [-1], { keep: true });
  const scores = gemm(hidden, negatives, { transposeB: true });
  const each = add(multiply(softplus(negate(positive)), power), sum(softplus(scores), [-1], { keep: true }));
  const value = sum(multiply(each, weight));
  return withGradient(value, [hidden, positives, negatives], ([g]) => {
    const scale = multiply(weight, g!);
    const ofPositive = multiply(subtract(sigmoid(positive), 1), multiply(scale, power));
    const chances = sigmoid(scores);
    return [
      add(multiply(gemm(chances, negatives), scale), multiply(positives, ofPositive)),
      multiply(hidden, ofPositive),
      gemm(chances, multiply(hidden, scale), { transposeA: true }),
    ];
  });
}
