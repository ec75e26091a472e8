/** The page: favourites or the lists of anybody, as the address or else the server says. */
import { useQuery } from "@tanstack/react-query";
import { api } from "./api.js";
import { Explore } from "./Explore.js";
import { Favourites } from "./Favourites.js";
import { ProblemNotice } from "./ProblemNotice.js";
import { useHash } from "./use-hash.js";

/** Boxes for favourites where the server names no number. */
const usualFavourites = 3;

export function App() {
  const page = useQuery({ queryKey: ["page"], queryFn: ({ signal }) => api.page(signal) });
  const hash = useHash();
  const favouritesFirst = page.data?.favourites != null;
  const view = hash === "#favourites" || (hash !== "#explore" && favouritesFirst) ? "favourites" : "explore";
  const current = (name: string) => (view === name ? ("page" as const) : undefined);
  return (
    <>
      <header className="top">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <h1>Tastemaker</h1>
        {page.data && page.data.title !== "Tastemaker" && <span className="quiet clip">{page.data.title}</span>}
        <nav aria-label="Pages">
          <a href="#favourites" aria-current={current("favourites")}>
            Favourites
          </a>
          <a href="#explore" aria-current={current("explore")}>
            Explore
          </a>
          <a href="./docs">API</a>
        </nav>
      </header>
      {page.isPending ? (
        <p className="empty" role="status">
          Loading …
        </p>
      ) : page.error ? (
        <ProblemNotice error={page.error} onRetry={() => void page.refetch()} />
      ) : view === "favourites" ? (
        <Favourites count={page.data.favourites ?? usualFavourites} />
      ) : (
        <Explore />
      )}
    </>
  );
}
