/** Tables in plain text: columns aligned, numbers to the right. */

/** The first row is the header; columns whose cells below it are all numbers are set to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const [header] = rows;
  const widths = header.map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const numeric = header.map((_, c) => rows.slice(1).every((row) => /^[-+]?[\d.,]*( s| ± [\d.,]+)?$/.test(row[c])));
  const lines = rows.map((row) =>
    row
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines.join("\n");
}
