/** Typed access to the arrays of a saved model; each throws ModelFormatError with what was got and expected. */
import { ModelFormatError } from "../../core/errors.js";
import type { ModelState, SavedArray } from "../../core/model.js";

export const savedFloat32 = (state: ModelState, name: string, shape: readonly number[]) =>
  saved(state, { name, shape, type: Float32Array });
export const savedInt32 = (state: ModelState, name: string, shape: readonly number[]) => saved(state, { name, shape, type: Int32Array });
export const savedUint8 = (state: ModelState, name: string, shape: readonly number[]) => saved(state, { name, shape, type: Uint8Array });

/** Length of a one-dimensional saved array. */
export function savedLength(state: ModelState, name: string): number {
  const array = state.arrays[name];
  if (!array) throw missing(name);
  return array.data.length;
}

interface Expected<T extends SavedArray> {
  name: string;
  shape: readonly number[];
  type: { new (length: number): T; name: string };
}

function saved<T extends SavedArray>(state: ModelState, { name, shape, type }: Expected<T>): T {
  const array = state.arrays[name];
  if (!array) throw missing(name);
  const got = `${array.data.constructor.name} ${array.shape.join(" × ")}`;
  const expected = `${type.name} ${shape.join(" × ")}`;
  if (got !== expected) {
    throw new ModelFormatError(`The saved array ${name} is ${got}, expected ${expected}.`, {
      hint: "Train and save the model again.",
      details: { got, expected },
    });
  }
  return array.data as T;
}

function missing(name: string): ModelFormatError {
  return new ModelFormatError(`The saved model has no array ${name}.`, {
    hint: "Train and save the model again.",
    details: { expected: name },
  });
}
