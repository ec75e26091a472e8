/**
 * What is known of users or items beside their events: typed columns, one value per row of an IdMap.
 * Read by models with side features (als, content, two towers) through `FitContext`.
 */

export type FeatureColumn =
  /** One of a set of names; null = unknown. */
  | { kind: "category"; values: readonly (string | null)[] }
  /** NaN = unknown. */
  | { kind: "number"; values: Float32Array | Float64Array }
  | { kind: "text"; values: readonly (string | null)[] }
  /** numRows × dimensions, row-major; a row with NaN = unknown. */
  | { kind: "vector"; dimensions: number; values: Float32Array };

export interface Features {
  readonly numRows: number;
  readonly columns: Readonly<Record<string, FeatureColumn>>;
}
