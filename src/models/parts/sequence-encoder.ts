/** Last states of histories under a trained network: one compiled graph for single questions and one for batches, built on first use. */

import type { LayerContext } from "../../nn/layers.js";
import { gather } from "../../nn/ops/gather.js";
import type { Parameters } from "../../nn/parameters.js";
import { createSession, type Session } from "../../nn/session.js";
import { createGraph, type Dimension, input, type Tensor } from "../../nn/tensor.js";

export interface SequenceShape {
  /** A number in training; in exported files the name of a size known at run time only (use `times` instead of ·). */
  batch: Dimension;
  length: number;
}

/** Adds a network to a graph: from its input `rows` [batch · length × dimensions] to the state after every position, of the same shape. */
export type SequenceNetwork = (context: LayerContext, shape: SequenceShape) => Tensor;

export interface SequenceEncoder {
  /** Writes one row of `dimensions` per sequence (oldest item first); zeros for an empty one. */
  encode(sequences: readonly Int32Array[], out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

const BATCH = 64;

/** `items`: numItems × dimensions, read at every call, so that a network in training can be asked. */
export function createSequenceEncoder(
  { parameters, states }: { parameters: Parameters; states: SequenceNetwork },
  items: Float32Array,
  { dimensions, maxLength }: { dimensions: number; maxLength: number },
): SequenceEncoder {
  states({ graph: createGraph(), parameters, masks: [], dropout: 0 }, { batch: 1, length: maxLength }); // restored parameters are there from the start
  const compiled = new Map<number, Promise<Session>>();
  const sessionFor = (batch: number): Promise<Session> => {
    const known = compiled.get(batch);
    if (known) return known;
    const made = compile(batch);
    compiled.set(batch, made);
    return made;
  };
  async function compile(batch: number): Promise<Session> {
    const graph = createGraph();
    const all = states({ graph, parameters, masks: [], dropout: 0 }, { batch, length: maxLength });
    const session = await createSession({ state: gather(all, input(graph, "last", [batch], "int32")) });
    for (const { name, values } of parameters.list) if (session.inputNames.includes(name)) session.bind(name, values);
    return session;
  }
  let last: Promise<unknown> = Promise.resolve(); // buffers of a session serve one call at a time
  async function encodeAll(sequences: readonly Int32Array[], out: Float32Array): Promise<void> {
    const batch = sequences.length <= 4 ? 1 : BATCH;
    const session = await sessionFor(batch);
    const rows = new Float32Array(batch * maxLength * dimensions);
    const lasts = new Int32Array(batch);
    for (let from = 0; from < sequences.length; from += batch) {
      rows.fill(0);
      const block = sequences.slice(from, from + batch);
      block.forEach((sequence, b) => {
        sequence.forEach((item, k) => {
          rows.set(items.subarray(item * dimensions, (item + 1) * dimensions), (b * maxLength + k) * dimensions);
        });
        lasts[b] = b * maxLength + Math.max(0, sequence.length - 1);
      });
      await session.run({ rows, last: lasts });
      block.forEach((sequence, b) => {
        const to = (from + b) * dimensions;
        if (sequence.length === 0) out.fill(0, to, to + dimensions);
        else out.set((session.outputs.state as Float32Array).subarray(b * dimensions, (b + 1) * dimensions), to);
      });
    }
  }
  return {
    encode(sequences, out) {
      const result = last.then(() => encodeAll(sequences, out));
      last = result.catch(() => {});
      return result;
    },
    async release() {
      for (const session of compiled.values()) await (await session).release();
      compiled.clear();
    },
  };
}
