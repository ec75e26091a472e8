/**
 * Rows through a trained graph, in blocks: one compiled for single questions and one for many, built on first use.
 * Called by the neural models whose questions are rows of numbers (mult-vae, two-tower).
 */
import type { LayerContext } from "../../nn/layers.js";
import type { Parameters } from "../../nn/parameters.js";
import { createSession, type Session, type SessionOptions } from "../../nn/session.js";
import { createGraph, input, type Tensor } from "../../nn/tensor.js";

export interface RowNetwork {
  parameters: Parameters;
  /** Width of each input. */
  inputs: Readonly<Record<string, number>>;
  /** Width of a row of the result. */
  width: number;
  /** From inputs [batch × their width] to [batch × width]. */
  network(context: LayerContext, inputs: Readonly<Record<string, Tensor>>): Tensor;
}

/** Writes rows [from, to) into the inputs, from their first row on; the rest of a block holds 0. */
export type FillRows = (inputs: Readonly<Record<string, Float32Array>>, from: number, to: number) => void;

export interface RowEncoder {
  /** Writes `count` rows into `out`, row-major. Calls wait for each other. */
  encode(count: number, fill: FillRows, out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

const [FEW, BLOCK] = [4, 64];

/** Parameters are read at every call, so that a network in training can be asked. */
export function createRowEncoder({ parameters, inputs, width, network }: RowNetwork, options: SessionOptions = {}): RowEncoder {
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
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, size]) => [name, input(graph, name, [batch, size])]));
    const session = await createSession({ encoded: network({ graph, parameters, masks: [], dropout: 0 }, tensors) }, options);
    for (const { name, values } of parameters.list) if (session.inputNames.includes(name)) session.bind(name, values);
    return session;
  }
  async function encodeAll(count: number, fill: FillRows, out: Float32Array): Promise<void> {
    const batch = count <= FEW ? 1 : BLOCK;
    const session = await sessionFor(batch);
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, size]) => [name, new Float32Array(batch * size)]));
    for (let from = 0; from < count; from += batch) {
      const to = Math.min(count, from + batch);
      for (const feed of Object.values(feeds)) feed.fill(0);
      fill(feeds, from, to);
      await session.run(feeds);
      out.set((session.outputs.encoded as Float32Array).subarray(0, (to - from) * width), from * width);
    }
  }
  let last: Promise<unknown> = Promise.resolve(); // buffers of a session serve one call at a time
  return {
    encode(count, fill, out) {
      const result = last.then(() => encodeAll(count, fill, out));
      last = result.catch(() => {});
      return result;
    },
    async release() {
      for (const session of compiled.values()) await (await session).release();
      compiled.clear();
    },
  };
}
