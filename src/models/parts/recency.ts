/** Time helpers of the models that look at age: milliseconds of a day and the last moment of the data. */

export const DAY = 86_400_000;

/** The largest timestamp, in milliseconds; −Infinity when there is none. */
export function latestTimestamp(timestamp: Float64Array): number {
  let latest = -Infinity;
  for (let e = 0; e < timestamp.length; e++) if (timestamp[e] > latest) latest = timestamp[e];
  return latest;
}
