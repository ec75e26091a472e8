/**
 * Nearest known names to a misspelt one (Damerau–Levenshtein, optimal string alignment),
 * for the hints of "unknown model / parameter / column" errors.
 */

/** Up to `limit` names of `known` close to `name`, nearest first; empty when none is near. */
export function nearestNames(name: string, known: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase();
  return [...known]
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, Math.floor(candidate.length / 2)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** "Did you mean a, b?" or, when nothing is near, "Known: a, b, c." */
export function nameHint(name: string, known: Iterable<string>): string {
  const all = [...known];
  const near = nearestNames(name, all);
  return near.length > 0 ? `Did you mean ${near.join(", ")}?` : `Known: ${all.join(", ") || "none"}.`;
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, beforePrevious[j - 2] + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length];
}
