/** Whom to recommend for: a known user, or a visitor whose history is composed here. */
import type { Item, User } from "../../src/server/api-types.js";
import { api } from "./api.js";
import { itemText } from "./item-text.js";
import { SearchList } from "./SearchList.js";

export interface AudienceValue {
  kind: "user" | "visitor";
  user: string | undefined;
  history: { item: Item; weight: number }[];
}

export function Audience({ value, onChange }: { value: AudienceValue; onChange: (value: AudienceValue) => void }) {
  const { kind, user, history } = value;
  const setWeight = (item: Item, weight: number) => {
    const others = history.filter((entry) => entry.item.itemId !== item.itemId);
    const at = history.findIndex((entry) => entry.item.itemId === item.itemId);
    const next = weight > 0 ? others.toSpliced(at < 0 ? others.length : at, 0, { item, weight }) : others;
    onChange({ ...value, history: next });
  };
  const weightOf = (item: Item) => history.find((entry) => entry.item.itemId === item.itemId)?.weight ?? 0;

  return (
    <section className="card" aria-labelledby="audience">
      <h2 id="audience">For whom?</h2>
      <div className="segments" role="radiogroup" aria-labelledby="audience">
        {(["user", "visitor"] as const).map((choice) => (
          <label key={choice}>
            <input type="radio" name="audience" checked={kind === choice} onChange={() => onChange({ ...value, kind: choice })} />
            <span className="segment">{choice === "user" ? "Known user" : "New visitor"}</span>
          </label>
        ))}
      </div>
      {kind === "user" ? (
        <SearchList<User>
          key="users"
          kind="users"
          label="Find a user"
          placeholder="Part of an id"
          search={async (text, signal) => (await api.users(text, signal)).users}
          keyOf={({ userId }) => userId}
          isChosen={({ userId }) => userId === user}
          onChoose={({ userId }) => onChange({ ...value, user: userId })}
        >
          {({ userId, itemsSeen }) => (
            <>
              <span className="clip">{userId}</span>
              <span className="quiet aside">{itemsSeen === 1 ? "1 item" : `${itemsSeen} items`}</span>
            </>
          )}
        </SearchList>
      ) : (
        <>
          {history.length > 0 && (
            <ul className="chips" aria-label="The visitor's history">
              {history.map(({ item, weight }) => (
                <li key={item.itemId}>
                  <span className="clip">{itemText(item).title}</span>
                  {weight > 1 && <span className="quiet">× {weight}</span>}
                  <button type="button" aria-label={`Remove ${itemText(item).title}`} onClick={() => setWeight(item, 0)}>
                    ×
                  </button>
                </li>
              ))}
            </ul>
          )}
          <SearchList<Item>
            key="items"
            kind="items"
            label="What has the visitor bought?"
            placeholder="Part of a title, category or id"
            search={async (text, signal) => (await api.items(text, signal)).items}
            keyOf={({ itemId }) => itemId}
            isChosen={(item) => weightOf(item) > 0}
            onChoose={(item) => setWeight(item, weightOf(item) + 1)}
          >
            {(item) => (
              <>
                <span>{itemText(item).title}</span>
                <span className="quiet aside clip">{itemText(item).category ?? itemText(item).id}</span>
              </>
            )}
          </SearchList>
        </>
      )}
    </section>
  );
}
