/**
 * Parameters for a smoke run: what makes a fit long (passes, sweeps, rounds: `fast` in a definition's help) is held down, in models made
 * of models too. The figures of such models mean nothing. Called by service/fast.ts.
 */
import { parseParams } from "../core/params.js";
import { getModel } from "./registry.js";

/** Complete parameters of the model, none of them above what its definition allows a smoke run. Throws as `getModel` and `parseParams`. */
export function fastParams(name: string, params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const definition = getModel(name);
  const complete = parseParams(definition.params, params, `Model ${name}`);
  return Object.fromEntries(
    Object.entries(complete).map(([param, value]) => {
      const { fast } = definition.help[param] ?? {};
      return [param, fast !== undefined && typeof value === "number" ? Math.min(value, fast) : withFastParts(value)];
    }),
  );
}

/** Inside a parameter, `{ model, params }` (or a list of such) names another model. */
function withFastParts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFastParts);
  if (typeof value !== "object" || value === null || !("model" in value && typeof value.model === "string")) return value;
  const { params = {} } = value as { params?: Record<string, unknown> };
  return { ...value, params: fastParams(value.model, params) };
}
