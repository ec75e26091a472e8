/** A ranked list of items with score bars and the source of each; choosing one asks for similar items. */
import type { RecommendedItem } from "../../src/server/api-types.js";
import type { ApiRequest } from "./api.js";
import { itemText, scoreText } from "./item-text.js";
import { Why } from "./Why.js";

export interface ItemListProps {
  items: RecommendedItem[];
  label: string;
  chosen?: string;
  onChoose: (item: RecommendedItem) => void;
  /** How to ask why an item is here; absent when the model cannot say. */
  explain?: (itemId: string) => ApiRequest;
  /** Scores are predicted ratings. */
  rated?: boolean;
}

export function ItemList({ items, label, chosen, onChoose, explain, rated }: ItemListProps) {
  const scores = items.map(({ score }) => score);
  const lowest = Math.min(0, ...scores);
  const range = Math.max(...scores, 0) - lowest || 1;
  return (
    <ol className="items" aria-label={label}>
      {items.map((item, place) => {
        const { title, id, category, price, others } = itemText(item);
        return (
          <li key={item.itemId}>
            <button
              type="button"
              className="item-row"
              aria-pressed={item.itemId === chosen}
              aria-label={`${title}: show similar items`}
              onClick={() => onChoose(item)}
            >
              <span className="place">{place + 1}</span>
              <span className="what">
                <span className="title">{title}</span>
                <span className="facts">
                  {category && <span className="tag">{category}</span>}
                  {price && <span>{price}</span>}
                  {id && <span className="id clip">{id}</span>}
                  {others.map(({ name, value }) => (
                    <span key={name} className="clip">
                      {name}: {value}
                    </span>
                  ))}
                </span>
              </span>
              <span className="how">
                <span className={item.source.includes("fallback") ? "badge fallback" : "badge"}>{item.source}</span>
                <span className="score">
                  {rated && !item.source.includes("fallback") ? `predicted rating ${item.score.toFixed(2)}` : scoreText(item.score)}
                </span>
                <span className="bar" aria-hidden="true">
                  <span className="bar-fill" style={{ inlineSize: `${(100 * (item.score - lowest)) / range}%` }} />
                </span>
              </span>
            </button>
            {explain && <Why title={title} request={explain(item.itemId)} />}
          </li>
        );
      })}
    </ol>
  );
}
