/**
 * A search box that holds one item: matches open below it while one types, arrows and Enter choose (the ARIA combobox pattern), and the
 * chosen item stands in its place until it is taken out.
 */
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import type { Item } from "../../src/server/api-types.js";
import { api } from "./api.js";
import { itemText } from "./item-text.js";
import { ProblemNotice } from "./ProblemNotice.js";
import { useDebounced } from "./use-debounced.js";

export interface FavouriteBoxProps {
  label: string;
  value: Item | undefined;
  onChange: (item: Item | undefined) => void;
}

export function FavouriteBox({ label, value, onChange }: FavouriteBoxProps) {
  const id = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [entered, setEntered] = useState(false); // Enter came before the matches did
  const wanted = useDebounced(text.trim());
  const {
    data: items,
    error,
    isPlaceholderData,
  } = useQuery({
    queryKey: ["items", wanted],
    queryFn: async ({ signal }) => (await api.items(wanted, signal)).items,
    enabled: open,
    placeholderData: (previous) => previous,
  });
  const shown = open && items ? items : [];
  const isCurrent = wanted === text.trim() && items !== undefined && !isPlaceholderData; // else the matches are those of an earlier text

  const choose = (item: Item) => {
    setText("");
    setOpen(false);
    onChange(item);
  };
  useEffect(() => {
    if (!entered || !isCurrent) return;
    setEntered(false);
    if (shown[active]) choose(shown[active]);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const last = shown.length - 1;
    if (event.key === "ArrowDown") {
      setOpen(true);
      setActive(open ? Math.min(last, active + 1) : 0);
    } else if (event.key === "ArrowUp") setActive(Math.max(0, active - 1));
    else if (event.key === "Enter" && open && text.trim() !== "") setEntered(true);
    else if (event.key === "Enter" && shown[active]) choose(shown[active]);
    else if (event.key === "Escape") setOpen(false);
    else return;
    event.preventDefault();
  };

  if (value) {
    const { title, others, id: itemId } = itemText(value);
    return (
      <div className="favourite">
        <span className="quiet">{label}</span>
        <div className="favourite-chosen">
          <span className="clip">
            {title} <span className="quiet">{others[0]?.value ?? itemId}</span>
          </span>
          <button type="button" className="plain" aria-label={`Take out ${title}`} onClick={() => onChange(undefined)}>
            ×
          </button>
        </div>
      </div>
    );
  }
  return (
    <div className="favourite search-list">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-activedescendant={shown[active] ? `${id}-${active}` : undefined}
        placeholder="Part of a name or id"
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setEntered(false);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setEntered(false);
        }}
        onKeyDown={onKeyDown}
      />
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={`Matches for ${label.toLowerCase()}`}
        className="options"
        hidden={shown.length === 0}
      >
        {shown.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above takes the keys of its list
          <div
            key={item.itemId}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            tabIndex={-1}
            className={index === active ? "option active" : "option"}
            onMouseDown={(event) => event.preventDefault()} // else the box would close before the click
            onClick={() => choose(item)}
          >
            <span>{itemText(item).title}</span>
            <span className="quiet aside clip">{itemText(item).others[0]?.value ?? itemText(item).id}</span>
          </div>
        ))}
      </div>
      {error ? <ProblemNotice error={error} /> : open && items?.length === 0 && <p className="quiet">Nothing matches “{wanted}”.</p>}
    </div>
  );
}
