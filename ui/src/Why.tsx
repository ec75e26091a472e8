/** Under a recommended item: which of the asker's items give it its score, as bars; asked for when it is opened. */
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { ExplanationsResponse } from "../../src/server/api-types.js";
import { type ApiRequest, api } from "./api.js";
import { itemText, scoreText } from "./item-text.js";
import { ProblemNotice } from "./ProblemNotice.js";

export function Why({ title, request }: { title: string; request: ApiRequest }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { data, error } = useQuery({
    queryKey: ["why", request],
    queryFn: ({ signal }) => api.explanation(request, signal),
    enabled: open,
  });
  return (
    <div className="why">
      <button
        type="button"
        className="why-toggle"
        aria-expanded={open}
        aria-controls={id}
        aria-label={`Why ${title}?`}
        onClick={() => setOpen(!open)}
      >
        why?
      </button>
      {open && (
        <div id={id} className="why-answer" role="status">
          {error ? <ProblemNotice error={error} /> : data ? <Reasons answer={data} /> : <span className="quiet">…</span>}
        </div>
      )}
    </div>
  );
}

function Reasons({ answer: { contributions, base, rest, score, source } }: { answer: ExplanationsResponse }) {
  if (source.includes("fallback")) return <p className="quiet">Popular with everyone: {score.toLocaleString("en")} events.</p>;
  if (contributions.length === 0) return <p className="quiet">Nothing of their own speaks for it; it is what everyone gets.</p>;
  const shares = contributions.map(({ itemId, properties, contribution }) => ({
    key: itemId,
    name: itemText({ itemId, properties }).title,
    value: contribution,
  }));
  const least = 0.005 * Math.max(...shares.map(({ value }) => Math.abs(value)));
  if (Math.abs(rest) > least) shares.push({ key: "rest of the items", name: "their other items", value: rest });
  if (Math.abs(base) > least) shares.push({ key: "base of the score", name: "the same for everyone", value: base });
  const most = Math.max(...shares.map(({ value }) => Math.abs(value))) || 1;
  return (
    <ul className="reasons" aria-label="Where the score comes from">
      {shares.map(({ key, name, value }) => (
        <li key={key} className="reason">
          <span className="clip">{name}</span>
          <span className="bar" aria-hidden="true">
            <span className={value < 0 ? "bar-fill against" : "bar-fill"} style={{ inlineSize: `${(100 * Math.abs(value)) / most}%` }} />
          </span>
          <span className="score">{scoreText(value)}</span>
        </li>
      ))}
    </ul>
  );
}
