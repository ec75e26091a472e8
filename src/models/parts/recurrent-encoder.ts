/**
 * States of questions under a recurrent network, carried along: sequences that begin alike (the lines of one basket, each asked after the
 * ones before it) are read once, and all are read in pieces of a few steps, of which each goes on from the state of the last; so any
 * length costs its own steps only. One compiled graph for few questions, one for many. Called by parts/recurrent-model.ts.
 */
import type { Parameters } from "../../nn/parameters.js";
import { createSession, type Session } from "../../nn/session.js";
import { createGraph, input } from "../../nn/tensor.js";
import { type RecurrentShape, recurrentLayers, statesPerLayer } from "./recurrent-network.js";

export interface AskedSequence {
  /** Items in order, −1 for a border; at least one. */
  tokens: Int32Array;
  /** −1 = unknown. */
  user: number;
}

export interface RecurrentEncoder {
  /** Writes one row of `dimensions` per sequence. */
  encode(asked: readonly AskedSequence[], out: Float32Array): Promise<void>;
  release(): Promise<void>;
}

/** Read at every call, so that a network in training can be asked. */
export interface RecurrentTables {
  /** numItems × dimensions. */
  items: Float32Array;
  /** numUsers × userDimensions. */
  users?: Float32Array;
}

const [MANY, FEW] = [64, 4];
const STEPS = 16;

export function createRecurrentEncoder(parameters: Parameters, shape: RecurrentShape, tables: RecurrentTables): RecurrentEncoder {
  const { dimensions, userDimensions, units, layers, cell } = shape;
  const numStates = layers * statesPerLayer(cell);
  const graphOf = (batch: number, length: number) => {
    const graph = createGraph();
    return recurrentLayers(
      { graph, parameters, masks: [], dropout: 0 },
      {
        rows: input(graph, "rows", [length * batch, dimensions]),
        users: userDimensions > 0 ? input(graph, "users", [batch, userDimensions]) : undefined,
        start: Array.from({ length: numStates }, (_, s) => input(graph, `start${s}`, [batch, units])),
      },
      { ...shape, length },
    );
  };
  graphOf(1, 1); // restored parameters are there from the start
  const compiled = new Map<number, Promise<Session>>();
  const sessionFor = (batch: number): Promise<Session> => {
    const made = compiled.get(batch) ?? compile(batch);
    compiled.set(batch, made);
    return made;
  };
  async function compile(batch: number): Promise<Session> {
    const { output, state } = graphOf(batch, STEPS);
    const session = await createSession({ output, ...Object.fromEntries(state.map((tensor, s) => [`state${s}`, tensor])) });
    for (const { name, values } of parameters.list) if (session.inputNames.includes(name)) session.bind(name, values);
    return session;
  }

  async function encodeAll(asked: readonly AskedSequence[], out: Float32Array): Promise<void> {
    const runs = sharedRuns(asked);
    const batch = runs.length <= FEW ? 1 : MANY;
    const session = await sessionFor(batch);
    const rows = new Float32Array(STEPS * batch * dimensions);
    const users = new Float32Array(batch * userDimensions);
    const start = Array.from({ length: numStates }, () => new Float32Array(batch * units));
    const feeds = {
      rows,
      ...(userDimensions > 0 ? { users } : {}),
      ...Object.fromEntries(start.map((values, s) => [`start${s}`, values])),
    };
    for (let first = 0; first < runs.length; first += batch) {
      const block = runs.slice(first, first + batch);
      for (const values of start) values.fill(0);
      block.forEach(({ user }, b) => {
        copyRow(tables.users, user, users, b, userDimensions);
      });
      for (let from = 0; from < block[0].tokens.length; from += STEPS) {
        block.forEach(({ tokens }, b) => {
          for (let step = 0; step < STEPS; step++) copyRow(tables.items, tokens[from + step] ?? -1, rows, step * batch + b, dimensions);
        });
        await session.run(feeds);
        const output = session.outputs.output as Float32Array;
        block.forEach(({ readers }, b) => {
          for (const reader of readers) {
            const step = asked[reader].tokens.length - 1 - from;
            if (step < 0 || step >= STEPS) continue;
            const at = (step * batch + b) * dimensions;
            out.set(output.subarray(at, at + dimensions), reader * dimensions);
          }
        });
        for (const [s, values] of start.entries()) values.set(session.outputs[`state${s}`]);
      }
    }
  }
  let last: Promise<unknown> = Promise.resolve(); // buffers of a session serve one call at a time
  return {
    encode(asked, out) {
      const result = last.then(() => encodeAll(asked, out));
      last = result.catch(() => {});
      return result;
    },
    async release() {
      for (const session of compiled.values()) await (await session).release();
      compiled.clear();
    },
  };
}

/** Row `from` of a table (zeros for a negative one) to row `to`. */
function copyRow(table: Float32Array | undefined, from: number, target: Float32Array, to: number, width: number): void {
  if (from < 0 || !table) target.fill(0, to * width, (to + 1) * width);
  else target.set(table.subarray(from * width, (from + 1) * width), to * width);
}

/** A sequence to be read, and the questions (indexes) answered on the way. */
interface Run extends AskedSequence {
  readers: number[];
}

/** Longest first. In lexicographic order a sequence stands right before those that begin with it. */
function sharedRuns(asked: readonly AskedSequence[]): Run[] {
  const order = Array.from(asked.keys()).sort(
    (a, b) => asked[a].user - asked[b].user || compare(asked[a].tokens, asked[b].tokens) || a - b,
  );
  const runs: Run[] = [];
  for (const index of order) {
    const { tokens, user } = asked[index];
    const run = runs.at(-1);
    if (run && run.user === user && beginsWith(tokens, run.tokens)) {
      run.tokens = tokens;
      run.readers.push(index);
    } else runs.push({ tokens, user, readers: [index] });
  }
  return runs.sort((a, b) => b.tokens.length - a.tokens.length);
}

function compare(a: Int32Array, b: Int32Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let k = 0; k < shorter; k++) if (a[k] !== b[k]) return a[k] - b[k];
  return a.length - b.length;
}

function beginsWith(tokens: Int32Array, head: Int32Array): boolean {
  if (head.length > tokens.length) return false;
  for (let k = head.length - 1; k >= 0; k--) if (tokens[k] !== head[k]) return false;
  return true;
}
