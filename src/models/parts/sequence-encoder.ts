/**
 * Last states of histories under a trained network: compiled graphs for single questions and for batches, for short and for long
 * histories, each built on first use. Called by the neural sequence models to score, and by their training to validate.
 */

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
const SHORTEST = 8;

/** `items`: numItems × dimensions, read at every call, so that a network in training can be asked. */
export function createSequenceEncoder(
  { parameters, states }: { parameters: Parameters; states: SequenceNetwork },
  items: Float32Array,
  { dimensions, maxLength }: { dimensions: number; maxLength: number },
): SequenceEncoder {
  states({ graph: createGraph(), parameters, masks: [], dropout: 0 }, { batch: 1, length: maxLength }); // restored parameters are there from the start
  const lengths: number[] = [];
  for (let length = SHORTEST; length < maxLength; length *= 2) lengths.push(length);
  lengths.push(maxLength);
  const compiled = new Map<string, Promise<Session>>();
  const sessionFor = (batch: number, length: number): Promise<Session> => {
    const key = `${batch} × ${length}`;
    const known = compiled.get(key);
    if (known) return known;
    const made = compile(batch, length);
    compiled.set(key, made);
    return made;
  };
  async function compile(batch: number, length: number): Promise<Session> {
    const graph = createGraph();
    const all = states({ graph, parameters, masks: [], dropout: 0 }, { batch, length });
    const session = await createSession({ state: gather(all, input(graph, "last", [batch], "int32")) });
    for (const { name, values } of parameters.list) if (session.inputNames.includes(name)) session.bind(name, values);
    return session;
  }
  let last: Promise<unknown> = Promise.resolve(); // buffers of a session serve one call at a time
  async function encodeAll(sequences: readonly Int32Array[], out: Float32Array): Promise<void> {
    const batch = sequences.length <= 4 ? 1 : BATCH;
    for (const [k, length] of lengths.entries()) {
      const shorter = k === 0 ? 0 : lengths[k - 1];
      const places = [...sequences.keys()].filter((at) => sequences[at].length > shorter && sequences[at].length <= length);
      if (places.length > 0) await encodeOfLength(length, places, { batch, sequences, out });
    }
    sequences.forEach((sequence, at) => {
      if (sequence.length === 0) out.fill(0, at * dimensions, (at + 1) * dimensions);
    });
  }
  async function encodeOfLength(
    length: number,
    places: readonly number[],
    { batch, sequences, out }: { batch: number; sequences: readonly Int32Array[]; out: Float32Array },
  ): Promise<void> {
    const session = await sessionFor(batch, length);
    const rows = new Float32Array(batch * length * dimensions);
    const lasts = new Int32Array(batch);
    for (let from = 0; from < places.length; from += batch) {
      rows.fill(0);
      const block = places.slice(from, from + batch);
      block.forEach((at, b) => {
        sequences[at].forEach((item, k) => {
          rows.set(items.subarray(item * dimensions, (item + 1) * dimensions), (b * length + k) * dimensions);
        });
        lasts[b] = b * length + sequences[at].length - 1;
      });
      await session.run({ rows, last: lasts });
      const state = session.outputs.state as Float32Array;
      block.forEach((at, b) => {
        out.set(state.subarray(b * dimensions, (b + 1) * dimensions), at * dimensions);
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
