/** What a next-item training is given: by sasrec and the recurrent models to next-item-training.ts and next-item-step.ts. */
import type { Schedule } from "../../nn/optimizers.js";
import type { SparseTable } from "../../nn/sparse-table.js";
import type { Network } from "../../nn/train.js";
import type { EncodeHeldOut } from "./next-item-validation.js";
import type { SequenceNetwork } from "./sequence-encoder.js";
import type { ItemSequences } from "./user-sequences.js";

export interface NextItemTraining {
  /** As in progress and errors: the model's name. */
  stage: string;
  /** −1 among the items marks a border: an input of zeros, and nothing to be predicted. */
  sequences: ItemSequences;
  /** States after every position, from rows of `items`. */
  states: SequenceNetwork;
  network: Network;
  items: SparseTable;
  numItems: number;
  /** Vectors of those whom the sequences belong to: input `users` of the network, [batch × dimensions of the table]. */
  users?: { table: SparseTable; ofSequence: Int32Array };
  /** Last states of held-out sequences; by default from `states` at maxLength. */
  encode?: EncodeHeldOut;
  /** Towards rate 0 at the last epoch, or not at all. Default "constant". */
  decay?: Schedule["decay"];
}

/** What the params of such a model have in common. */
export interface NextItemParams {
  dimensions: number;
  maxLength: number;
  dropout: number;
  loss: "auto" | "full" | "sampled" | "bpr-max" | "gbce";
  negatives: number;
  /** Of gBCE: 0 = plain binary cross-entropy, 1 = as sure as the full softmax. */
  calibration?: number;
  epochs: number;
  learningRate: number;
  patience: number;
  validationShare: number;
  /** Positions of a step, of large data. Default 1600. */
  batchPositions?: number;
  /** Largest joint norm of a step's gradients; not clipped when absent. */
  clipNorm?: number;
  /** Share of the running mean of the weights that an epoch leaves as it is. Default 0. */
  averaging?: number;
  /** Width of a layer, where dropout meets more than `dimensions`. */
  units?: number;
}
