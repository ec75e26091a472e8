/**
 * The values of all measures for all cases, and for each group of the segmentations. Per list the work is O(places + relevant) on
 * reused buffers. Called by `judge.ts`.
 */
import type { EvaluationCase } from "./cases.js";
import type { Measure } from "./measures.js";
import type { ShownList, WholeRanking } from "./metric.js";
import { isUndecided, orderPessimistically } from "./pessimistic-order.js";
import type { Segmentation } from "./segments.js";

/** One list without padding, best first. */
export interface ListRow {
  items: Int32Array;
  scores: Float32Array;
}

export interface SegmentValues {
  segment: string;
  group: string;
  /** By label and case; NaN where the case is not in the group. */
  values: Record<string, Float64Array>;
}

export interface ScoreSheet {
  /**
   * Judges the list of case c. With `cut`, more items may follow the list; false when places within the depth depend on them:
   * then nothing is written.
   */
  write(c: number, row: ListRow, cut: boolean): boolean;
  values(named: (label: string) => string): { values: Record<string, Float64Array>; segments: SegmentValues[] };
}

export interface SheetOptions {
  numItems: number;
  measures: readonly Measure[];
  segments: readonly Segmentation[];
  /** Places that are judged. */
  depth: number;
}

export function createScoreSheet(cases: readonly EvaluationCase[], { numItems, measures, segments, depth }: SheetOptions): ScoreSheet {
  const gainOf = new Int32Array(numItems);
  const order = { gains: new Int32Array(depth), ranked: new Int32Array(depth) };
  const columns = () => measures.map(() => new Float64Array(cases.length).fill(Number.NaN));
  const whole = columns();
  const parts = segments.map((segmentation) => ({ segmentation, groups: segmentation.groups.map(columns) }));

  /** Sets the gains of relevant items; returns how many distinct ones there are. */
  const mark = ({ relevant }: EvaluationCase, counts: (item: number) => boolean): number => {
    let distinct = 0;
    for (let i = 0; i < relevant.length; i++) if (counts(relevant[i]) && gainOf[relevant[i]]++ === 0) distinct++;
    return distinct;
  };
  const unmark = ({ relevant }: EvaluationCase): void => {
    for (let i = 0; i < relevant.length; i++) gainOf[relevant[i]] = 0;
  };
  /** Writes the measures of the marked case. */
  const judge = (to: readonly Float64Array[], c: number, { items, scores }: ListRow, numRelevant: number): void => {
    orderPessimistically(items, scores, gainOf, order);
    const list: ShownList = { ...order, numRelevant, k: 0, items, query: cases[c].query };
    const ranking: WholeRanking = { items, scores, gainOf, numRelevant };
    for (let m = 0; m < measures.length; m++) to[m][c] = measures[m].value(list, ranking);
  };

  return {
    write(c, row, cut) {
      const one = cases[c];
      const numRelevant = mark(one, () => true);
      const decided = !(cut && isUndecided(row.items, row.scores, depth, gainOf));
      if (decided) judge(whole, c, row, numRelevant);
      unmark(one);
      if (!decided) return false;
      for (const { segmentation, groups } of parts) {
        if (segmentation.by === "case") {
          const group = groups[segmentation.groupOf(one, -1)];
          group?.forEach((column, m) => {
            column[c] = whole[m][c];
          });
          continue;
        }
        for (const [g, to] of groups.entries()) {
          const inGroup = mark(one, (item) => segmentation.groupOf(one, item) === g);
          if (inGroup > 0) judge(to, c, row, inGroup);
          unmark(one);
        }
      }
      return true;
    },

    values(named) {
      const byLabel = (of: readonly Float64Array[]) => Object.fromEntries(measures.map(({ label }, m) => [named(label), of[m]]));
      return {
        values: byLabel(whole),
        segments: parts.flatMap(({ segmentation, groups }) =>
          groups.map((of, g) => ({ segment: segmentation.name, group: segmentation.groups[g], values: byLabel(of) })),
        ),
      };
    },
  };
}
