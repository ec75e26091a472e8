import express from "express";
import { loadModel } from "tastemaker";

const model = await loadModel(process.env.MODEL ?? "model"); // a folder, or s3://bucket/prefix
const app = express();
app.get("/recommendations/:user", async (request, response) => {
  const { itemIndex, source } = await model.recommend({ userIndex: model.users.indexOf(request.params.user) });
  response.json({ source, items: Array.from(itemIndex, (item) => model.items.idOf(item)) });
});
app.listen(process.env.PORT ?? 3000);
