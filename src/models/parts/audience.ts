/**
 * Whose events count: everyone's, those of guests (events without a user), or what newcomers buy first (the first basket of each user).
 * Without baskets a user's first event stands for the first basket. Called by popularity.
 */
import { DataError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";

export const AUDIENCES = ["all", "guests", "newcomers"] as const;
export type Audience = (typeof AUDIENCES)[number];

/** By event: 1 where it counts. Throws DataError when the data has no event of the audience. */
export function audienceMask(data: Interactions, audience: Audience): Uint8Array {
  const { userIndex, numInteractions } = data;
  if (audience === "all") return new Uint8Array(numInteractions).fill(1);
  const mask = audience === "guests" ? Uint8Array.from(userIndex, (user) => (user < 0 ? 1 : 0)) : firstBaskets(data);
  if (numInteractions > 0 && !mask.includes(1)) {
    throw new DataError(
      `popularity among ${audience} has nothing to count: ${audience === "guests" ? "every event has" : "no event has"} a user.`,
      {
        hint: `Leave the audience out, or keep the events of ${audience === "guests" ? "unknown" : "known"} users.`,
      },
    );
  }
  return mask;
}

/** The earliest event of each user, the first in input order among equal times, and all events of its basket. */
function firstBaskets({ numUsers, numInteractions, userIndex, timestamp, basket }: Interactions): Uint8Array {
  const first = new Int32Array(numUsers).fill(-1);
  for (let e = 0; e < numInteractions; e++) {
    const user = userIndex[e];
    if (user >= 0 && (first[user] < 0 || (timestamp && timestamp[e] < timestamp[first[user]]))) first[user] = e;
  }
  return Uint8Array.from(userIndex, (user, e) => {
    if (user < 0) return 0;
    return first[user] === e || (basket && basket[e] >= 0 && basket[e] === basket[first[user]]) ? 1 : 0;
  });
}
