/** Lists of anybody by any model: for whom and how on the left, the list (and items similar to a chosen one) on the right, models below. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Item } from "../../src/server/api-types.js";
import { Audience, type AudienceValue } from "./Audience.js";
import { api, explanationRequest, recommendationsRequest, similarRequest } from "./api.js";
import { itemText } from "./item-text.js";
import { ListPanel } from "./ListPanel.js";
import { ModelsTable } from "./ModelsTable.js";
import { ProblemNotice } from "./ProblemNotice.js";
import { Purchases } from "./Purchases.js";
import { type OptionsValue, RequestOptions } from "./RequestOptions.js";

export function Explore() {
  const [audience, setAudience] = useState<AudienceValue>({ kind: "user", user: undefined, history: [] });
  const [options, setOptions] = useState<OptionsValue>({ model: undefined, topK: 10, excludeSeen: undefined });
  const [similarTo, setSimilarTo] = useState<Item>();
  const models = useQuery({ queryKey: ["models"], queryFn: ({ signal }) => api.models(signal) });
  const firstUsers = useQuery({ queryKey: ["users", ""], queryFn: async ({ signal }) => (await api.users("", signal)).users });

  const known = audience.kind === "user";
  const user = audience.user ?? firstUsers.data?.[0]?.userId;
  const history = audience.history.map(({ item, weight }) => ({ itemId: item.itemId, weight }));
  const title = known && user !== undefined ? `For ${user}` : history.length > 0 ? "For this visitor" : "For a visitor without history";
  const request = recommendationsRequest({ ...(known ? { user } : { history }), ...options });

  const excludeSeen = options.excludeSeen ?? models.data?.excludeSeen ?? true;
  const loaded = models.data?.models ?? [];
  const chosenModel = loaded.find(({ name, default: isDefault }) => (options.model ? name === options.model : isDefault));
  const explain = (item: string) => explanationRequest({ item, ...(known ? { user } : { history }), model: options.model });
  const similarModel = chosenModel?.similarItems ? options.model : undefined;

  return (
    <main className={similarTo ? "with-similar" : undefined}>
      <div className="column">
        <Audience value={{ ...audience, user }} onChange={setAudience} />
        <RequestOptions value={{ ...options, excludeSeen }} models={loaded} onChange={setOptions} />
      </div>
      {known && firstUsers.isPending ? (
        <section className="card" role="status">
          Loading …
        </section>
      ) : (
        <ListPanel
          title={title}
          request={request}
          emptyText={excludeSeen ? "Nothing is left to recommend: they already have it all." : "The model has nothing to recommend."}
          chosen={similarTo?.itemId}
          onChoose={setSimilarTo}
          explain={chosenModel?.explanations ? explain : undefined}
          rated={chosenModel?.ratings}
        >
          {known && user !== undefined && <Purchases user={user} />}
        </ListPanel>
      )}
      {similarTo && (
        <ListPanel
          title={`Like ${itemText(similarTo).title}`}
          request={similarRequest(similarTo.itemId, { topK: options.topK, model: similarModel })}
          emptyText="No item is like it."
          onChoose={setSimilarTo}
          onClose={() => setSimilarTo(undefined)}
        />
      )}
      <div className="wide">
        {models.error && <ProblemNotice error={models.error} onRetry={() => void models.refetch()} />}
        {models.data && <ModelsTable models={loaded} chosen={chosenModel?.name} onChoose={(model) => setOptions({ ...options, model })} />}
      </div>
    </main>
  );
}
