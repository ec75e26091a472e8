/**
 * The significance gate: among models from simple to complex the simplest is champion until a more complex one beats it
 * significantly on the same questions (paired bootstrap, Bonferroni over the comparisons). Called by auto.ts.
 */
import { comparePaired, type PairedComparison } from "../../evaluation/compare.js";

/** Chance of a wrong finding that is put up with, over all comparisons. */
export const LEVEL = 0.05;
/** With fewer questions nothing is told apart. */
export const MIN_QUESTIONS = 10;
const RESAMPLES = 5000;

export interface Contender {
  label: string;
  /** The metric of each question; the same questions for all. */
  values: Float64Array;
  mean: number;
}

export interface Challenge extends Pick<PairedComparison, "difference" | "low" | "high" | "pBootstrap" | "pT" | "effectSize"> {
  challenger: string;
  champion: string;
  /** p of the bootstrap times the number of comparisons, at most 1. */
  pAdjusted: number;
  /** True when the challenger became champion. */
  won: boolean;
}

/** `contenders` from simple to complex, at least one. With `direction` "minimize" smaller values are better. */
export function chooseChampion(
  contenders: readonly Contender[],
  { direction, seed }: { direction: "maximize" | "minimize"; seed: number },
): { champion: string; challenges: Challenge[] } {
  let [champion] = contenders;
  const challenges: Challenge[] = [];
  if (champion.values.length < MIN_QUESTIONS) return { champion: champion.label, challenges };
  for (const challenger of contenders.slice(1)) {
    const { difference, low, high, pBootstrap, pT, effectSize } = comparePaired(challenger.values, champion.values, {
      resamples: RESAMPLES,
      seed,
    });
    const pAdjusted = Math.min(1, pBootstrap * (contenders.length - 1));
    const better = direction === "minimize" ? difference < 0 : difference > 0;
    const won = better && pAdjusted < LEVEL;
    challenges.push({
      challenger: challenger.label,
      champion: champion.label,
      difference,
      low,
      high,
      pBootstrap,
      pT,
      effectSize,
      pAdjusted,
      won,
    });
    if (won) champion = challenger;
  }
  return { champion: champion.label, challenges };
}

/** A challenge in one sentence. */
export function challengeInWords(
  { challenger, champion, difference, low, high, pAdjusted, won }: Challenge,
  {
    metric,
    direction,
    means,
    questions,
  }: { metric: string; direction: "maximize" | "minimize"; means: ReadonlyMap<string, number>; questions: number },
): string {
  const figure = (value: number) => value.toFixed(4);
  const values = `${challenger} reaches ${metric} ${figure(means.get(challenger)!)}, ${champion} ${figure(means.get(champion)!)}`;
  const p = pAdjusted < 0.001 ? "p < 0.001" : `p = ${pAdjusted.toFixed(3)}`;
  const range = `difference ${figure(difference)}, 95 % interval ${figure(low)} to ${figure(high)}, ${p} on ${questions.toLocaleString("en")} questions`;
  const better = direction === "minimize" ? difference < 0 : difference > 0;
  if (won) return `${values}: significantly better (${range}).`;
  if (better) return `${values}: not significantly better (${range}), so the simpler ${champion} stays.`;
  return `${values}: ${pAdjusted < LEVEL ? "significantly worse" : "not better"} (${range}), so ${champion} stays.`;
}
