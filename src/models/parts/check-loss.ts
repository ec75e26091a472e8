/** A fit in steps that has gone astray ends with an error that says where; called after each step by the models that learn in steps. */
import { TrainingError } from "../../core/errors.js";

/** Throws TrainingError when the loss after `step` is no number; `hint` says how to mend it, one sentence. */
export function checkLoss(loss: number, { model, step, hint }: { model: string; step: number; hint: string }): void {
  if (Number.isFinite(loss)) return;
  throw new TrainingError(`${model} went astray: its loss after step ${step} is ${loss}.`, { hint, details: { iteration: step } });
}
