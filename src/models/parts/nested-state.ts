/** Arrays of several models in one state, told apart by a number before the name. Called by blend. */
import type { ModelState } from "../../core/model.js";

type Arrays = ModelState["arrays"];

export function nested(arrays: Arrays, part: number): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`part${part}_${name}`, array]));
}

/** The inverse of `nested`. */
export function unnested(arrays: Arrays, part: number): Arrays {
  const prefix = `part${part}_`;
  return Object.fromEntries(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array]),
  );
}
