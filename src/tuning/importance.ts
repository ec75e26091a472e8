/**
 * How much each parameter mattered in a search, by its main effect: trials are ranked (best = 0), cut into B groups by the
 * parameter's value (its choices, or about √n equal parts of the numbers), and
 *   importance = ε² = max(0, (SS_between − (B − 1) · MS_within) / SS_total),  MS_within = SS_within / (n − B)
 * the share of the ranks' variance that the groups explain, less what chance explains (Kelley 1935). Ranks, so that a few
 * very bad trials do not decide. It sees no interactions, and what a learning sampler hardly tried it hardly judges.
 */
import type { Trial } from "../core/trials.js";

/** Fewest trials from which importance is told. */
export const MIN_TRIALS = 10;

/** ε² of each parameter, largest first, from trials sorted best first; empty when there are too few. */
export function importanceOf(sorted: readonly Trial[], params: readonly string[]): { param: string; importance: number }[] {
  const trials = sorted.filter(({ state }) => state !== "failed");
  if (trials.length < MIN_TRIALS) return [];
  return params
    .map((param) => ({ param, importance: explained(groupsOf(trials, param), trials.length) }))
    .sort((a, b) => b.importance - a.importance);
}

/** Ranks of the trials of each group. */
function groupsOf(trials: readonly Trial[], param: string): number[][] {
  const groups = new Map<string, number[]>();
  const numbers: { value: number; rank: number }[] = [];
  const numeric = new Set(trials.map(({ params }) => params[param]).filter((value) => typeof value === "number"));
  const parts = Math.max(2, Math.round(Math.sqrt(trials.length) / 1.5));
  trials.forEach(({ params }, rank) => {
    const value = params[param];
    if (typeof value === "number" && numeric.size > parts) numbers.push({ value, rank });
    else groups.set(JSON.stringify(value) ?? "", [...(groups.get(JSON.stringify(value) ?? "") ?? []), rank]);
  });
  numbers.sort((a, b) => a.value - b.value);
  const cuts = Array.from({ length: parts }, (_, p) => Math.round((p * numbers.length) / parts));
  const equal = cuts.map((from, p) => numbers.slice(from, cuts[p + 1]).map(({ rank }) => rank));
  return [...groups.values(), ...equal].filter((group) => group.length > 0);
}

function explained(groups: readonly (readonly number[])[], n: number): number {
  const mean = (n - 1) / 2;
  let between = 0;
  let within = 0;
  for (const ranks of groups) {
    const own = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
    between += ranks.length * (own - mean) ** 2;
    within += ranks.reduce((sum, rank) => sum + (rank - own) ** 2, 0);
  }
  if (groups.length < 2 || n <= groups.length) return 0;
  return Math.max(0, (between - ((groups.length - 1) * within) / (n - groups.length)) / (between + within));
}
