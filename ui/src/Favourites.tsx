/** A few favourites, picked in a search box each, and what the default model recommends to someone with them. */
import { type FormEvent, useState } from "react";
import type { Item } from "../../src/server/api-types.js";
import { recommendationsRequest, similarRequest } from "./api.js";
import { FavouriteBox } from "./FavouriteBox.js";
import { itemText } from "./item-text.js";
import { ListPanel } from "./ListPanel.js";

const listLength = 20;

export function Favourites({ count }: { count: number }) {
  const [picked, setPicked] = useState<(Item | undefined)[]>(() => new Array(count).fill(undefined));
  const [asked, setAsked] = useState<Item[]>();
  const [problem, setProblem] = useState<string>();
  const [similarTo, setSimilarTo] = useState<Item>();

  const pick = (place: number, item: Item | undefined) => {
    const twin = item ? picked.findIndex((other, p) => p !== place && other?.itemId === item.itemId) : -1;
    setProblem(item && twin >= 0 ? `“${itemText(item).title}” is favourite ${twin + 1} already: choose another.` : undefined);
    if (twin < 0) setPicked(picked.with(place, item));
  };
  const recommend = (event: FormEvent) => {
    event.preventDefault();
    const chosen = picked.filter((item) => item !== undefined);
    const missing = count - chosen.length;
    setProblem(missing > 0 ? `${missing === 1 ? "One favourite is" : `${missing} favourites are`} missing: choose ${count}.` : undefined);
    if (missing > 0) return;
    setAsked(chosen);
    setSimilarTo(undefined);
  };

  return (
    <main className={similarTo ? "with-similar" : undefined}>
      <form className="card favourites" aria-labelledby="favourites-title" onSubmit={recommend}>
        <h2 id="favourites-title">Your favourites</h2>
        {picked.map((item, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a box is its place
          <FavouriteBox key={place} label={`Favourite ${place + 1}`} value={item} onChange={(chosen) => pick(place, chosen)} />
        ))}
        {problem && (
          <p role="alert" className="problem">
            {problem}
          </p>
        )}
        <button type="submit" className="primary">
          Recommend
        </button>
      </form>
      {asked ? (
        <ListPanel
          title="For you"
          request={recommendationsRequest({ history: asked.map(({ itemId }) => ({ itemId })), topK: listLength })}
          emptyText="The model has nothing to recommend to someone with these favourites."
          chosen={similarTo?.itemId}
          onChoose={setSimilarTo}
        />
      ) : (
        <section className="card">
          <p className="empty">Pick {count === 1 ? "a favourite" : `${count} favourites`} and press Recommend.</p>
        </section>
      )}
      {similarTo && (
        <ListPanel
          title={`Like ${itemText(similarTo).title}`}
          request={similarRequest(similarTo.itemId, { topK: listLength })}
          emptyText="No item is like it."
          onChoose={setSimilarTo}
          onClose={() => setSimilarTo(undefined)}
        />
      )}
    </main>
  );
}
