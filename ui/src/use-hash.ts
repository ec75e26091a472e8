/** The part of the address behind #, which says what the page shows. */
import { useSyncExternalStore } from "react";

export function useHash(): string {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener("hashchange", changed);
      return () => window.removeEventListener("hashchange", changed);
    },
    () => window.location.hash,
  );
}
