/**
 * Early stopping on the metric at rungs, steps firstStep · reduction^k of a fit (sweeps, epochs):
 * - none: every trial runs to its end
 * - median: stop when worse than the median of earlier trials at that rung (Golovin et al. 2017, Google Vizier, §3.1)
 * - asha: stop when not among the best 1 / reduction of all trials at that rung (Li et al. 2020, A system for massively
 *   parallel hyperparameter tuning; the form that stops instead of pausing)
 * Called by tune.ts with the losses (smaller is better) of those trials only whose results a trial may know.
 */

export interface Scheduler {
  name: string;
  isRung(step: number): boolean;
  keeps(loss: number, others: readonly number[]): boolean;
}

export interface RungOptions {
  /** First step at which a trial is measured. Default 2. */
  firstStep?: number;
  /** Each rung lies at this times the step of the one before, and asha keeps one of so many. Default 3. */
  reduction?: number;
}

export const noScheduler: Scheduler = { name: "none", isRung: () => false, keeps: () => true };

export function medianScheduler({ firstStep = 2, reduction = 3, minTrials = 5 }: RungOptions & { minTrials?: number } = {}): Scheduler {
  return {
    name: "median",
    isRung: (step) => isRung(step, firstStep, reduction),
    keeps: (loss, others) => others.length < minTrials || loss <= median(others),
  };
}

export function ashaScheduler({ firstStep = 2, reduction = 3 }: RungOptions = {}): Scheduler {
  return {
    name: "asha",
    isRung: (step) => isRung(step, firstStep, reduction),
    keeps(loss, others) {
      const kept = Math.floor((others.length + 1) / reduction);
      return kept === 0 || others.filter((other) => other < loss).length < kept;
    },
  };
}

function isRung(step: number, firstStep: number, reduction: number): boolean {
  let rung = firstStep;
  while (rung < step) rung *= reduction;
  return rung === step;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
