/** Asks for one list and shows it in whatever state it is: loading, wrong, empty or there, with the request as a curl line. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import type { RecommendedItem } from "../../src/server/api-types.js";
import { type ApiRequest, api } from "./api.js";
import { CurlLine } from "./CurlLine.js";
import { ItemList } from "./ItemList.js";
import { ProblemNotice } from "./ProblemNotice.js";

export interface ListPanelProps {
  title: string;
  request: ApiRequest;
  /** Said when the list is empty. */
  emptyText: string;
  chosen?: string;
  onChoose: (item: RecommendedItem) => void;
  onClose?: () => void;
  /** How to ask why an item is here; absent when the model cannot say. */
  explain?: (itemId: string) => ApiRequest;
  /** Scores are predicted ratings. */
  rated?: boolean;
  children?: ReactNode;
}

export function ListPanel({ title, request, emptyText, chosen, onChoose, onClose, explain, rated, children }: ListPanelProps) {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["lists", request],
    queryFn: ({ signal }) => api.lists(request, signal),
    placeholderData: (previous) => previous,
  });
  const section = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each newly asked-for item brings its list into view
  useEffect(() => {
    if (onClose) section.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [title, data === undefined]);
  return (
    <section
      ref={section}
      className="card list-panel"
      aria-label={title}
      aria-busy={isFetching}
      onKeyDown={(event) => event.key === "Escape" && onClose?.()}
    >
      <header>
        <h2 aria-live="polite">{title}</h2>
        {data && !error && <span className="quiet version">{data.modelVersion}</span>}
        {onClose && (
          <button type="button" className="plain" onClick={onClose} aria-label="Close similar items">
            ×
          </button>
        )}
      </header>
      {children}
      {error ? (
        <ProblemNotice error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <div className="skeleton" role="status" aria-label="Loading">
          {[1, 2, 3, 4, 5].map((row) => (
            <span key={row} className="skeleton-row" />
          ))}
        </div>
      ) : data.items.length === 0 ? (
        <p className="empty">{emptyText}</p>
      ) : (
        <>
          {data.items[0].source.includes("fallback") && (
            <p className="note">The model knows nothing about this person yet, so these are the most popular items.</p>
          )}
          <ItemList items={data.items} label={title} chosen={chosen} onChoose={onChoose} explain={explain} rated={rated} />
        </>
      )}
      <CurlLine request={request} />
    </section>
  );
}
