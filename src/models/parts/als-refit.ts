/**
 * Taking more data into a fitted als: rows of users whose events changed and of new users are solved exactly against the old items,
 * then changed and new items exactly against those users, then two sweeps over everything. Called by als.ts.
 */
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { createAlsFoldIn } from "../../kernels/als.js";
import { alsProblem, sweepAls } from "./als-fit.js";
import type { AlsFittedModel } from "./als-model.js";

/** Sweeps over all rows behind the exact solves. */
const REFIT_SWEEPS = 2;
/** Rows solved between two looks at the signal. */
const rowsPerCall = 4096;

export async function refitAls(previous: AlsFittedModel, train: Interactions, context: FitContext): Promise<AlsFittedModel> {
  const { params, seen: old, userPriors, itemFeatures } = previous.parts;
  checkFeatures("user", userPriors !== undefined, context.userFeatures !== undefined);
  checkFeatures("item", itemFeatures, context.itemFeatures !== undefined);
  const { factors } = params;
  const { rule, problem } = alsProblem(train, params);
  const now = train.matrixByUser();
  const users = changedUsers(old, now);
  const items = changedItems(old, now, users);

  const userFactors = grown(previous.parts.userFactors, now.numRows * factors).map((value) => value / rule.valueUnit);
  const itemFactors = grown(previous.parts.itemFactors, now.numColumns * factors);
  // rows that features alone had filled are no solutions: they stay out of the Gram matrices
  const hadEvents = new Set(old.indices);
  for (let item = 0; item < now.numColumns; item++) if (!hadEvents.has(item)) itemFactors.fill(0, item * factors, (item + 1) * factors);
  for (let user = 0; user < now.numRows; user++)
    if (now.offsets[user] === now.offsets[user + 1]) userFactors.fill(0, user * factors, (user + 1) * factors);

  const solve = async (side: {
    matrix: Csr;
    goals: Float32Array | undefined;
    rows: Int32Array;
    out: Float32Array;
    fixed: Float32Array;
  }) => {
    const { matrix, goals, rows, out, fixed } = side;
    if (rows.length === 0) return;
    const solver = await createAlsFoldIn({ ...problem, itemFactors: fixed, numItems: matrix.numColumns }, { threads: context.threads });
    try {
      for (let from = 0; from < rows.length; from += rowsPerCall) {
        throwIfCancelled(context.signal);
        const some = rows.subarray(from, from + rowsPerCall);
        const vectors = new Float32Array(some.length * factors);
        const histories = Array.from(some, (row) => {
          const [begin, end] = [matrix.offsets[row], matrix.offsets[row + 1]];
          return {
            indices: matrix.indices.subarray(begin, end),
            weights: matrix.values.subarray(begin, end),
            goals: goals?.subarray(begin, end),
          };
        });
        await solver.encode(histories, vectors);
        some.forEach((row, k) => {
          out.set(vectors.subarray(k * factors, (k + 1) * factors), row * factors);
        });
      }
    } finally {
      solver.dispose();
    }
  };
  const { matrixByUser, matrixByItem, goals } = problem;
  await solve({ matrix: matrixByUser, goals: goals?.byUser, rows: users, out: userFactors, fixed: itemFactors });
  await solve({ matrix: matrixByItem, goals: goals?.byItem, rows: items, out: itemFactors, fixed: userFactors });
  return sweepAls(train, params, {
    start: { userFactors, itemFactors, trained: true },
    iterations: REFIT_SWEEPS,
    context: { ...context, checkpoint: undefined },
  });
}

function checkFeatures(whose: "user" | "item", before: boolean, now: boolean): void {
  if (before === now) return;
  throw new ConfigError(
    `The model was fitted ${before ? "with" : "without"} ${whose} features, the refit is ${now ? "with" : "without"}.`,
    {
      hint: "Give the same features, or fit it again.",
    },
  );
}

function grown(rows: Float32Array, length: number): Float32Array {
  const out = new Float32Array(length);
  out.set(rows);
  return out;
}

/** Users whose row differs from the old one, ascending. */
function changedUsers(old: Csr, now: Csr): Int32Array {
  const changed: number[] = [];
  for (let user = 0; user < now.numRows; user++) {
    const begin = now.offsets[user];
    const length = now.offsets[user + 1] - begin;
    const before = user < old.numRows ? old.offsets[user] : 0;
    let same = length === (user < old.numRows ? old.offsets[user + 1] - before : 0);
    for (let e = 0; same && e < length; e++)
      same = now.indices[begin + e] === old.indices[before + e] && now.values[begin + e] === old.values[before + e];
    if (!same) changed.push(user);
  }
  return Int32Array.from(changed);
}

/** Items with a pair that is new or has another value, ascending. `users`: those whose rows differ. */
function changedItems(old: Csr, now: Csr, users: Int32Array): Int32Array {
  const changed = new Set<number>();
  for (const user of users) {
    const before = new Map<number, number>();
    if (user < old.numRows) for (let e = old.offsets[user]; e < old.offsets[user + 1]; e++) before.set(old.indices[e], old.values[e]);
    for (let e = now.offsets[user]; e < now.offsets[user + 1]; e++) {
      const item = now.indices[e];
      if (before.get(item) !== now.values[e]) changed.add(item);
      before.delete(item);
    }
    for (const item of before.keys()) changed.add(item);
  }
  return Int32Array.from(changed).sort();
}
