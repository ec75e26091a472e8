/**
 * Trains a network that reads a user's items in order and says at every position which item comes next: one compiled step
 * (next-item-step.ts) per bucket of sequence lengths, validation on held-out last events (next-item-validation.ts).
 * Called by sasrec and the recurrent models.
 */
import { DataError } from "../../core/errors.js";
import type { FitContext } from "../../core/model.js";
import { createRandom } from "../../core/random.js";
import { createMaskPool } from "../../nn/masks.js";
import { type TrainingResult, trainNetwork } from "../../nn/train.js";
import type { NextItemParams, NextItemTraining } from "./next-item-params.js";
import { compileStep, evidenceOf, type NextItemStep } from "./next-item-step.js";
import { type EncodeHeldOut, heldOutUsers, nextItemNdcg } from "./next-item-validation.js";
import { bucketsFor, numBatches, type SequenceBatch, sequenceBatches, usersByBucket } from "./sequence-batches.js";
import { createSequenceEncoder } from "./sequence-encoder.js";

/** Of small data steps have so few positions that an epoch has about STEPS of them. */
const [MOST_POSITIONS, LEAST_POSITIONS, STEPS] = [1600, 64, 30];
const MOST_ITEMS_FULL = 20_000;
const MOST_WARM_UP = 100;

/** Throws DataError when no sequence has two events; TrainingError and CancelledError as `trainNetwork`. */
export async function trainNextItem(training: NextItemTraining, params: NextItemParams, context: FitContext): Promise<TrainingResult> {
  const { stage, sequences, states, network, items, numItems } = training;
  const full = params.loss === "full" || (params.loss === "auto" && numItems <= MOST_ITEMS_FULL);
  const droppedLast = heldOutUsers(sequences, params.validationShare, context.seed);
  const { batchPositions = MOST_POSITIONS } = params;
  const buckets = bucketsFor(params.maxLength, Math.min(batchPositions, Math.max(LEAST_POSITIONS, sequences.items.length / STEPS)));
  const users = usersByBucket(sequences, buckets, droppedLast);
  const stepsPerEpoch = numBatches(users, buckets);
  if (stepsPerEpoch === 0)
    throw new DataError(`${stage} has nothing to learn from: no user has two events.`, {
      hint: "Bring more events per user, or use a model that needs no order.",
    });
  const widest = Math.max(params.dimensions, params.units ?? 0);
  const largestMask = buckets.reduce((most, { length, batch }) => Math.max(most, length * batch * widest), 0);
  const masks = createMaskPool(params.dropout, largestMask, createRandom(context.seed + 1));
  const compiled = new Map<number, Promise<NextItemStep>>();
  const stepFor = (bucket: number): Promise<NextItemStep> => {
    const known = compiled.get(bucket);
    if (known) return known;
    const made = compileStep(training, buckets[bucket], { params, full, masks, threads: context.threads, device: context.device });
    compiled.set(bucket, made);
    return made;
  };
  for (let bucket = 0; bucket < buckets.length; bucket++) if (users[bucket].length > 0) await stepFor(bucket); // parameters in a fixed order
  const evidence = evidenceOf(sequences);
  const encoder = training.encode ? undefined : createSequenceEncoder({ parameters: network.parameters, states }, items.values, params);
  const newest = (history: Int32Array) => history.subarray(Math.max(0, history.length - params.maxLength));
  const encode: EncodeHeldOut = training.encode ?? ((histories, _, out) => encoder!.encode(histories.map(newest), out));
  const validation = droppedLast.some((held) => held === 1);
  try {
    return await trainNetwork<SequenceBatch>(
      {
        stage,
        network,
        epochs: params.epochs,
        patience: params.patience,
        averaging: params.averaging,
        optimizer: { name: "adam" },
        schedule: { rate: params.learningRate, warmUp: Math.min(MOST_WARM_UP, stepsPerEpoch), decay: training.decay },
        clipNorm: params.clipNorm,
        stepsPerEpoch,
        batches: (random) => sequenceBatches(sequences, { buckets, users, droppedLast }, random),
        async step(batch, random) {
          const step = await stepFor(batch.bucket);
          return step.run(batch, { items, random, evidence });
        },
        validate: validation
          ? () => nextItemNdcg({ sequences, numItems, items: items.values }, { encode, heldOut: droppedLast, ...params })
          : undefined,
      },
      context,
    );
  } finally {
    for (const step of compiled.values()) await (await step).release();
    await encoder?.release();
  }
}
