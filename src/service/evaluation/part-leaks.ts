/**
 * The leak check of a recipe's held-out parts: errors refuse the run (unless leaks are allowed), the rest is told.
 * Folds of one part are told together. Called by evaluate.ts.
 */
import { checkLeaks, refuseLeaks } from "../../evaluation/leaks.js";
import type { Part, PartLeaks } from "./part.js";

/** Throws DataError with counts and an example when a part leaks and `allowLeaks` is not set. */
export function partLeaks(parts: readonly Part[], { allowLeaks = false }: { allowLeaks?: boolean }): PartLeaks[] {
  const names = [...new Set(parts.map(({ name }) => name))];
  return names.map((name) => {
    const folds = parts.filter((part) => part.name === name);
    const found = folds.map(({ train, test, given, order }) => checkLeaks(train, test, { given, order }));
    const kinds = [...new Set(found.flatMap((findings) => findings.map(({ kind, severity }) => `${severity} ${kind}`)))];
    const findings = kinds.map((kind) => {
      const same = found.flatMap((one) => one.filter((finding) => `${finding.severity} ${finding.kind}` === kind).slice(0, 1));
      return folds.length === 1 ? same[0] : { ...same[0], message: `${same[0].message} (In ${same.length} of ${folds.length} folds.)` };
    });
    if (!allowLeaks)
      refuseLeaks(
        findings,
        `The ${name} part`,
        "Mend the split or the data (see docs/protocols.md), or pass --allow-leaks to judge in spite of it.",
      );
    return { part: name, findings };
  });
}
