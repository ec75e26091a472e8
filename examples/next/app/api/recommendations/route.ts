/** GET /api/recommendations?user=… (someone the model knows) or ?item=…&item=… (anyone who had these), with &topK=… */
import { loadModel } from "tastemaker";

const place = process.env.MODEL ?? "model"; // a folder, or s3://bucket/prefix
let loading: ReturnType<typeof loadModel> | undefined; // by the first request, so that `next build` needs no model

export async function GET(request: Request): Promise<Response> {
  loading ??= loadModel(place).catch((error) => {
    loading = undefined; // the next request tries again
    throw error;
  });
  const model = await loading;
  const { searchParams } = new URL(request.url);
  const topK = Number(searchParams.get("topK") ?? 10);
  const items = searchParams.getAll("item").map((id) => ({ id, itemIndex: model.items.indexOf(id) }));
  const unknown = items.find(({ itemIndex }) => itemIndex < 0);
  if (unknown) return Response.json({ error: `There is no item ${JSON.stringify(unknown.id)}.` }, { status: 400 });
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= 100)) return Response.json({ error: "topK is 1 to 100." }, { status: 400 });
  const query = items.length > 0 ? { history: items } : { userIndex: model.users.indexOf(searchParams.get("user") ?? "") };
  const { itemIndex, score, source } = await model.recommend(query, { topK, signal: request.signal });
  return Response.json({ source, items: Array.from(itemIndex, (item, place) => ({ id: model.items.idOf(item), score: score[place] })) });
}
