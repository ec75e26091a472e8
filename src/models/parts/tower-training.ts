/**
 * Trains a query tower against a candidate tower on pairs (query, candidate): softmax over the candidates of the batch and shared
 * negatives drawn from all, corrected for how often each is drawn (logQ), accidental hits left out.
 *   loss = −log softmax_j (q · c_j / temperature + bias_j − log E[count of j in the batch])
 * Yi et al. (2019), Sampling-bias-corrected neural modeling; Yang et al. (2020), Mixed negative sampling. It knows neither users nor
 * items, only two sides. Called by two-tower.
 */
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random } from "../../core/random.js";
import type { LayerContext } from "../../nn/layers.js";
import { createMaskPool } from "../../nn/masks.js";
import { multiply } from "../../nn/ops/elementwise.js";
import { fullSoftmaxLoss, inBatchSoftmaxLoss } from "../../nn/ops/losses.js";
import { slice } from "../../nn/ops/shape.js";
import type { OptimizerOptions } from "../../nn/optimizers.js";
import type { Parameters } from "../../nn/parameters.js";
import type { SparseTable } from "../../nn/sparse-table.js";
import { constant, createGraph, input } from "../../nn/tensor.js";
import { type StepResult, type TrainingResult, trainNetwork } from "../../nn/train.js";
import { createTrainingStep } from "../../nn/training-step.js";
import { addTowerGradients, type ItemBag, type TowerSource, towerBatch, towerBuffers, writeTowerInputs } from "./tower-inputs.js";
import { type TowerShape, towerInputs, towerVectors } from "./tower-network.js";

export interface TowerPairs {
  /** Rows of the two sides, one entry per pair. */
  queries: Int32Array;
  candidates: Int32Array;
  /** Size of the candidate side. */
  numCandidates: number;
  /** Part of each candidate's score in the loss: score = q · c / temperature + bias. */
  bias: Float32Array;
  /** History of pair `pair`, for towers that read one. */
  history(pair: number, random: Random): ItemBag;
  /** Marks candidates that are no negatives of pair `pair` (beside its own). */
  alsoRight?(pair: number, mark: (candidate: number) => void): void;
}

export interface TowerTraining {
  stage: string;
  parameters: Parameters;
  queries: TowerSource<SparseTable>;
  candidates: TowerSource<SparseTable>;
  pairs: TowerPairs;
  validate?(): Promise<number>;
}

export interface TowerTrainingParams {
  temperature: number;
  logQ: boolean;
  negatives: number;
  batchSize: number;
  stepsPerEpoch: number;
  lossOf: "mean" | "sum";
  dropout: number;
  unknownShare: number;
  optimizer: OptimizerOptions["name"];
  learningRate: number;
  weightDecay: number;
  epochs: number;
  patience: number;
  averaging: number;
}

const LEAST_BATCH = 64;
/** Takes a candidate out of a row's softmax. */
const NEVER = -1e9;

export async function trainTowers(training: TowerTraining, params: TowerTrainingParams, context: FitContext): Promise<TrainingResult> {
  const { stage, parameters, queries, candidates, pairs } = training;
  const count = pairs.queries.length;
  const batch = Math.max(1, Math.min(params.batchSize, count, Math.max(LEAST_BATCH, Math.ceil(count / params.stepsPerEpoch))));
  const tables = [queries, candidates]
    .flatMap(({ features, history }) => [features?.table, history?.table])
    .filter((one) => one !== undefined);
  const step = await compileStep(training, { params, batch, ...context });
  const order = Int32Array.from({ length: count }, (_, pair) => pair);
  try {
    return await trainNetwork<Int32Array>(
      {
        stage,
        network: { parameters, tables },
        epochs: count > 0 ? params.epochs : 0,
        patience: params.patience,
        averaging: params.averaging,
        optimizer: { name: params.optimizer, weightDecay: params.weightDecay },
        schedule: { rate: params.learningRate },
        stepsPerEpoch: Math.ceil(count / batch),
        *batches(random) {
          const shuffled = random.shuffle(order.slice());
          for (let from = 0; from < count; from += batch) yield shuffled.subarray(from, from + batch);
        },
        step: (some, random) => step.run(some, random),
        validate: training.validate,
      },
      context,
    );
  } finally {
    await step.release();
  }
}

interface CompileOptions extends Pick<FitContext, "threads" | "device" | "seed"> {
  params: TowerTrainingParams;
  batch: number;
}

async function compileStep({ parameters, queries, candidates, pairs }: TowerTraining, { params, batch, seed, ...options }: CompileOptions) {
  const { negatives, logQ, lossOf } = params;
  const width = batch + negatives;
  const graph = createGraph();
  const context: LayerContext = { graph, parameters, masks: [], dropout: params.dropout };
  const rows: string[] = [];
  const vectorsOf = (shape: TowerShape, count: number) => {
    const inputs = Object.fromEntries(Object.entries(towerInputs(shape)).map(([name, size]) => [name, input(graph, name, [count, size])]));
    rows.push(...Object.keys(inputs).filter((name) => !name.endsWith(".dense")));
    return towerVectors(context, inputs, shape);
  };
  const asked = multiply(vectorsOf(queries.shape, batch), 1 / params.temperature);
  const offered = vectorsOf(candidates.shape, width);
  const [weight, bias] = [input(graph, "weight", [batch, 1]), input(graph, "bias", [batch, width])];
  const loss =
    negatives === 0
      ? inBatchSoftmaxLoss({ queries: asked, candidates: offered, weight, bias })
      : fullSoftmaxLoss({
          hidden: asked,
          items: offered,
          targetRows: slice(offered, 0, [0, batch]),
          target: constant(
            graph,
            Int32Array.from({ length: batch }, (_, k) => k),
            [batch, 1],
            "int64",
          ),
          weight,
          bias,
        });
  const largest = context.masks.reduce((most, { size }) => Math.max(most, size), 1);
  const masks = createMaskPool(params.dropout, largest, createRandom(seed + 1));
  const step = await createTrainingStep({ context, loss, rows, masks, ...options });

  const feeds = {
    ...towerBuffers(queries.shape, batch),
    ...towerBuffers(candidates.shape, width),
    weight: new Float32Array(batch),
    bias: new Float32Array(batch * width),
  };
  const correction = logQ ? logCounts(pairs, { batch, negatives }) : new Float32Array(pairs.numCandidates);
  const drawn = new Int32Array(width);
  const stamps = new Int32Array(pairs.numCandidates).fill(-1);
  return {
    release: () => step.release(),
    async run(some: Int32Array, random: Random): Promise<StepResult> {
      const indexes = new Int32Array(batch).fill(-1);
      drawn.fill(-1);
      some.forEach((pair, k) => {
        indexes[k] = pairs.queries[pair];
        drawn[k] = pairs.candidates[pair];
      });
      for (let k = batch; k < width; k++) drawn[k] = random.integer(pairs.numCandidates);
      const none: ItemBag = { items: [], weight: 0 };
      const bags = Array.from(indexes, (_, k) => (queries.history && k < some.length ? pairs.history(some[k], random) : none));
      const dropped = { share: params.unknownShare, random };
      const batches = {
        queries: towerBatch(queries, { indexes, bags, dropped }),
        candidates: towerBatch(candidates, { indexes: drawn, dropped }),
      };
      writeTowerInputs(queries, batches.queries, feeds);
      writeTowerInputs(candidates, batches.candidates, feeds);
      const shares = lossOf === "sum" ? 1 : some.length;
      feeds.weight.fill(0).fill(1 / shares, 0, some.length);
      stamps.fill(-1);
      for (let k = 0; k < batch; k++) {
        const mark = (candidate: number) => {
          stamps[candidate] = k;
        };
        if (k < some.length) {
          mark(drawn[k]);
          pairs.alsoRight?.(some[k], mark);
        }
        for (let j = 0, at = k * width; j < width; j++, at++) {
          const open = j === k || (drawn[j] >= 0 && stamps[drawn[j]] !== k);
          feeds.bias[at] = open && drawn[j] >= 0 ? pairs.bias[drawn[j]] - correction[drawn[j]] : NEVER;
        }
      }
      const value = await step.run(feeds, random);
      addTowerGradients(queries, batches.queries, step.gradient);
      addTowerGradients(candidates, batches.candidates, step.gradient);
      return { loss: (value * shares) / some.length, examples: some.length, gradients: step.parameterGradients };
    },
  };
}

/** log of how often each candidate is expected among a batch's candidates and negatives. */
function logCounts({ candidates, numCandidates }: TowerPairs, { batch, negatives }: { batch: number; negatives: number }): Float32Array {
  const counts = new Float64Array(numCandidates);
  for (const candidate of candidates) counts[candidate]++;
  return Float32Array.from(counts, (times) => {
    const expected = (batch * times) / candidates.length + negatives / numCandidates;
    return expected > 0 ? Math.log(expected) : 0;
  });
}
