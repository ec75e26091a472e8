/**
 * Compensated summation (Neumaier 1974): the mean of thousands of fractions keeps its last digit,
 * so published figures come out exactly and the order of queries does not matter.
 */

export interface ExactSum {
  add(value: number): void;
  value(): number;
}

export function createExactSum(): ExactSum {
  let sum = 0;
  let lost = 0;
  return {
    add(value) {
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
    },
    value: () => sum + lost,
  };
}
