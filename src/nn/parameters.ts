/** The dense parameters of a network: named arrays with their optimizer state, fed to every session that has an input of the name. */

import { ModelFormatError } from "../core/errors.js";
import type { ModelState } from "../core/model.js";
import type { Random } from "../core/random.js";
import { type Graph, input, sizeOf, type Tensor } from "./tensor.js";

/** glorot: normal with variance 2 / (first + last size) (Glorot & Bengio 2010); a number: normal with that standard deviation. */
export type Initializer = "glorot" | "zeros" | "ones" | number;

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** First and second moments of Adam, or the sum of squares of Adagrad in `second`. */
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface Parameters {
  readonly list: readonly Parameter[];
  /** An input of the graph, for a parameter that is made on first mention. */
  use(graph: Graph, name: string, shape: readonly number[], initial?: Initializer): Tensor;
  /** The values with the optimizer's moments, copied: what a training goes on from. */
  state(): ModelState["arrays"];
  /** The values alone, not copied: what a trained model keeps. */
  arrays(): ModelState["arrays"];
  /** Takes saved values over; parameters are found by name when they are used, and one that is missing is a ModelFormatError then. */
  restore(arrays: ModelState["arrays"]): void;
}

/** Values are drawn from `random` in the order of first mention. */
export function createParameters(random: Random): Parameters {
  const byName = new Map<string, Parameter>();
  let saved: Map<string, { shape: readonly number[]; data: Float32Array }> | undefined;
  const take = (name: string, shape: readonly number[]): Float32Array | undefined => {
    const found = saved?.get(name);
    if (!found) return undefined;
    if (found.shape.join() !== shape.join())
      throw new ModelFormatError(`The saved parameter ${name} is ${found.shape.join(" × ")}, expected ${shape.join(" × ")}.`, {
        hint: "Train and save the model again.",
      });
    return found.data.slice();
  };
  return {
    get list() {
      return [...byName.values()];
    },
    use(graph, name, shape, initial = "glorot") {
      if (!byName.has(name)) {
        const size = sizeOf(shape);
        if (saved && !saved.has(name))
          throw new ModelFormatError(`The saved model has no parameter ${name}.`, { hint: "Train and save the model again." });
        byName.set(name, {
          name,
          shape,
          values: take(name, shape) ?? initialValues(shape, initial, random),
          first: take(`${name}.first`, shape) ?? new Float32Array(size),
          second: take(`${name}.second`, shape) ?? new Float32Array(size),
        });
      }
      return input(graph, name, shape);
    },
    state() {
      const arrays: ModelState["arrays"] = {};
      for (const { name, shape, values, first, second } of byName.values()) {
        arrays[name] = { shape, data: values.slice() };
        arrays[`${name}.first`] = { shape, data: first.slice() };
        arrays[`${name}.second`] = { shape, data: second.slice() };
      }
      return arrays;
    },
    arrays: () => Object.fromEntries([...byName.values()].map(({ name, shape, values }) => [name, { shape, data: values }])),
    restore(arrays) {
      saved = new Map(Object.entries(arrays).map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]));
    },
  };
}

function initialValues(shape: readonly number[], initial: Initializer, random: Random): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (initial === "ones") return values.fill(1);
  if (initial === "zeros") return values;
  const deviation = initial === "glorot" ? Math.sqrt(2 / (shape[0] + shape[shape.length - 1])) : initial;
  return values.map(() => deviation * random.normal());
}
