/** An approximate index in words: how good and how fast it was measured to be. */
import type { IndexReport } from "../service/approximate-index.js";

export function indexNote(label: string, report: IndexReport | undefined): string {
  if (!report) return `${label} has no vectors of items: it answers by the exact scan.`;
  const { items, buildSeconds, recall, worst, topK, questions, milliseconds, exactMilliseconds } = report;
  const made = buildSeconds === undefined ? "read" : `built in ${buildSeconds.toFixed(1)} s`;
  return `${label} answers from an approximate index of ${items.toLocaleString("en")} items, ${made}: recall@${topK} ${recall.toFixed(4)} of ${questions} questions (worst ${worst.toFixed(2)}), ${milliseconds.toFixed(2)} ms a question, exact ${exactMilliseconds.toFixed(2)} ms.`;
}
