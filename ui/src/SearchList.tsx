/**
 * A search field over a list of matches, usable by keyboard: arrows move through the list, Enter chooses
 * (the ARIA combobox pattern with an always open list box). Users and items are picked with it.
 */
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { ProblemNotice } from "./ProblemNotice.js";
import { useDebounced } from "./use-debounced.js";

export interface SearchListProps<Entry> {
  label: string;
  placeholder: string;
  /** Names the kind of entry in the query cache. */
  kind: string;
  search: (text: string, signal: AbortSignal) => Promise<Entry[]>;
  keyOf: (entry: Entry) => string;
  isChosen: (entry: Entry) => boolean;
  onChoose: (entry: Entry) => void;
  children: (entry: Entry) => ReactNode;
}

export function SearchList<Entry>({ label, placeholder, kind, search, keyOf, isChosen, onChoose, children }: SearchListProps<Entry>) {
  const id = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(-1);
  const wanted = useDebounced(text.trim());
  const { data: entries, error } = useQuery({
    queryKey: [kind, wanted],
    queryFn: ({ signal }) => search(wanted, signal),
    placeholderData: (previous) => previous,
  });

  const moveTo = (index: number) => {
    const bounded = Math.max(0, Math.min((entries?.length ?? 0) - 1, index));
    setActive(bounded);
    document.getElementById(`${id}-${bounded}`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") moveTo(active + 1);
    else if (event.key === "ArrowUp") moveTo(active - 1);
    else if (event.key === "Enter" && entries?.[Math.max(active, 0)]) onChoose(entries[Math.max(active, 0)]);
    else if (event.key === "Escape") setText("");
    else return;
    event.preventDefault();
  };

  return (
    <div className="search-list">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={active >= 0 && active < (entries?.length ?? 0) ? `${id}-${active}` : undefined}
        placeholder={placeholder}
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(-1);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={label} className="options">
        {entries?.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above takes the keys of its list
          <div
            key={keyOf(entry)}
            id={`${id}-${index}`}
            role="option"
            aria-selected={isChosen(entry)}
            tabIndex={-1}
            className={index === active ? "option active" : "option"}
            onClick={() => onChoose(entry)}
          >
            {children(entry)}
          </div>
        ))}
      </div>
      {error ? <ProblemNotice error={error} /> : entries?.length === 0 && <p className="quiet">Nothing matches “{wanted}”.</p>}
      {!entries && !error && <p className="quiet">Loading …</p>}
    </div>
  );
}
