/**
 * The fit of the factor models of ratings, step by step: an epoch of SGD with a falling learning rate, or a sweep of ALS over users and
 * items. Keeps checkpoints, reports losses, notices divergence. Called by svd.ts and svd-plus-plus.ts.
 */
import { TrainingError, throwIfCancelled } from "../../core/errors.js";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel } from "../../core/model.js";
import { createRatingAls } from "../../kernels/rating-als.js";
import { createRatingSgd, type RatingFactors } from "../../kernels/rating-sgd.js";
import { ratingScale, standardisedEvents, startFactors } from "./rating-factors.js";
import { type RatingModelParams, type RatingResult, ratingModel, restoredRating } from "./rating-model.js";

export interface RatingFitParams extends RatingModelParams {
  learningRate: number;
  epochs: number;
  initScale: number;
  solver?: "sgd" | "als";
  iterations?: number;
  /** Given for svd++ only. */
  implicitRegularization?: number;
}

/** Of standardised ratings: the mean alone errs by 1, so ten is no model any more. */
const divergedAt = 10;

interface Learner {
  step(step: number): Promise<number>;
  factors(): RatingFactors;
  dispose(): void;
}

/** `previous`: what to go on from, for a share of the steps. */
export async function fitRatings(
  name: string,
  { train, params, previous }: { train: Interactions; params: RatingFitParams; previous?: RatingResult },
  context: FitContext,
): Promise<FittedModel> {
  const { signal, checkpoint, onProgress, onStep } = context;
  const { numUsers, numItems } = train;
  const implicit = params.implicitRegularization !== undefined;
  const whole = params.solver === "als" ? params.iterations! : params.epochs;
  const total = previous ? Math.ceil(whole / 4) : whole;
  const from = checkpoint?.resumeFrom;
  const resumed = from && restoredRating(name, { params, numUsers, numItems, state: from.state }, implicit);
  const ratings = (resumed ?? previous)?.ratings ?? ratingScale(train);
  const events = standardisedEvents(train, ratings);
  const start = resumed?.factors ?? startFactors(events, { ...params, implicit, seed: context.seed, previous: previous?.factors });
  const learner = await (params.solver === "als"
    ? alsLearner(train, ratings, { params, start, context })
    : sgdLearner({ events, params, start, total, context }));
  try {
    const losses = [...(resumed?.losses ?? [])];
    const model = () =>
      ratingModel(
        { name, params, numUsers, numItems, seen: train.matrixByUser() },
        { ratings, losses: [...losses], factors: learner.factors() },
      );
    for (let step = (from?.step ?? 0) + 1; step <= total; step++) {
      throwIfCancelled(signal);
      const error = await learner.step(step);
      if (!(error < divergedAt)) throw diverged(name, step, error * ratings.scale);
      losses.push(error * ratings.scale);
      onProgress?.({ stage: name, done: step, total, loss: losses.at(-1) });
      await checkpoint?.save(step, () => model().state());
      if ((await onStep?.({ step, total, model })) === "stop") break;
    }
    return model();
  } finally {
    learner.dispose();
  }
}

interface LearnerOptions {
  params: RatingFitParams;
  start: RatingFactors;
  context: FitContext;
}

async function sgdLearner(options: LearnerOptions & { events: ReturnType<typeof standardisedEvents>; total: number }): Promise<Learner> {
  const { events, params, start, total, context } = options;
  const { seed, threads, signal } = context;
  const sgd = await createRatingSgd({ ...params, events, seed, start }, { threads });
  const rateOf = (step: number) => params.learningRate * (1 - (step - 1) / total);
  return { ...sgd, step: (step) => sgd.epoch(step, rateOf(step), signal) };
}

async function alsLearner(
  train: Interactions,
  { mean, scale }: { mean: number; scale: number },
  { params, start, context: { threads, signal } }: LearnerOptions,
): Promise<Learner> {
  const byUser = train.eventsByUser();
  const standardised = (matrix: Csr) => ({ ...matrix, values: matrix.values.map((rating) => (rating - mean) / scale) });
  const als = await createRatingAls(
    { ...params, byUser: standardised(byUser), byItem: standardised(knownOnly(train)), start },
    { threads },
  );
  return {
    ...als,
    async step() {
      await als.sweep("user", signal);
      await als.sweep("item", signal);
      return als.error(signal);
    },
  };
}

/** Events by item without those of unknown users. */
function knownOnly(train: Interactions): Csr {
  const { offsets, indices, values, numRows, numColumns } = train.eventsByItem();
  if (!indices.includes(-1)) return { offsets, indices, values, numRows, numColumns };
  const kept = Int32Array.from(indices.keys()).filter((entry) => indices[entry] >= 0);
  const counts = new Int32Array(numRows + 1);
  for (let item = 0; item < numRows; item++) {
    counts[item + 1] = counts[item];
    for (let entry = offsets[item]; entry < offsets[item + 1]; entry++) if (indices[entry] >= 0) counts[item + 1]++;
  }
  return {
    numRows,
    numColumns,
    offsets: counts,
    indices: kept.map((entry) => indices[entry]),
    values: Float32Array.from(kept, (entry) => values[entry]),
  };
}

function diverged(name: string, step: number, error: number): TrainingError {
  return new TrainingError(`${name} diverged: in epoch ${step} its error reached ${error}.`, {
    hint: "Lower learningRate or raise regularization; where a few ratings are far beyond the others, take their logarithm.",
    details: { iteration: step, error },
  });
}
