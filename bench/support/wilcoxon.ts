/**
 * Wilcoxon's signed-rank test of paired differences (Wilcoxon 1945), two-sided and exact: the distribution of the rank sum over
 * all 2^n signs, by dynamic programming over doubled mid-ranks. Differences of 0 are left out.
 */
export function wilcoxonSignedRank(differences: readonly number[]): { wins: number; losses: number; p: number } {
  const left = differences.filter((difference) => difference !== 0).sort((a, b) => Math.abs(a) - Math.abs(b));
  const ranks: number[] = [];
  for (let start = 0; start < left.length; ) {
    let end = start;
    while (end < left.length && Math.abs(left[end]) === Math.abs(left[start])) end++;
    for (let i = start; i < end; i++) ranks.push(start + end + 1); // twice the mean of ranks start + 1 … end
    start = end;
  }
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  let chance = new Float64Array(total + 1);
  chance[0] = 1;
  for (const rank of ranks) {
    const next = new Float64Array(total + 1);
    for (let sum = 0; sum <= total; sum++) next[sum] = (chance[sum] + (sum >= rank ? chance[sum - rank] : 0)) / 2;
    chance = next;
  }
  const positive = ranks.reduce((sum, rank, i) => sum + (left[i] > 0 ? rank : 0), 0);
  const smaller = Math.min(positive, total - positive);
  const tail = chance.subarray(0, smaller + 1).reduce((sum, p) => sum + p, 0);
  const wins = left.filter((difference) => difference > 0).length;
  return { wins, losses: left.length - wins, p: Math.min(1, 2 * tail) };
}
