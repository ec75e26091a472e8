/** What a known user already has, so that a person can judge the recommendations beside it. */
import { useQuery } from "@tanstack/react-query";
import { api } from "./api.js";
import { itemText } from "./item-text.js";

/** Shown before the rest is unfolded. */
const shown = 8;

export function Purchases({ user }: { user: string }) {
  const { data } = useQuery({ queryKey: ["user-items", user], queryFn: ({ signal }) => api.userItems(user, signal) });
  if (!data || data.items.length === 0) return null;
  const chip = ({ itemId, properties, weight }: (typeof data.items)[number]) => (
    <li key={itemId} title={itemId}>
      <span className="clip">{itemText({ itemId, properties }).title}</span>
      {weight !== 1 && <span className="quiet">× {Number(weight.toPrecision(3))}</span>}
    </li>
  );
  const rest = data.items.slice(shown);
  return (
    <div className="purchases">
      <h3>Already theirs</h3>
      <ul className="chips">{data.items.slice(0, shown).map(chip)}</ul>
      {rest.length > 0 && (
        <details>
          <summary>{data.items.length === 100 ? "More" : `${rest.length} more`}</summary>
          <ul className="chips">{rest.map(chip)}</ul>
        </details>
      )}
    </div>
  );
}
