/**
 * The page of an exported model: search for items, choose some, see what the model recommends to someone who had them.
 * Change it as you like; `tastemaker` is the library of `tastemaker/browser`.
 */
const place = (id) => document.getElementById(id);
const liked = [];
let model;
let properties = {};

start().catch((error) => {
  place("about").textContent = "";
  place("problem").textContent = [error.message, error.hint].filter(Boolean).join(" ");
});

async function start() {
  // fetchScripts reads the model from scripts, because a page that was opened from disk may not fetch files
  const options = { fetch: tastemaker.fetchScripts };
  model = await tastemaker.loadModel("model", options);
  properties = (await tastemaker.loadItemProperties("model", options)) ?? {};
  place("about").textContent = `Model: ${model.name}, ${model.numItems} items, learned from ${model.numUsers} users.`;
  place("search").disabled = false;
  place("search").addEventListener("input", showFound);
  await showList();
}

/** The text of an item: its properties where there are some, else its id. */
function titleOf(itemIndex) {
  const words = Object.values(properties).map((values) => values[itemIndex]);
  return words.filter((word) => word !== null && word !== undefined && word !== "").join(", ") || model.items.idOf(itemIndex);
}

function showFound() {
  const asked = place("search").value.trim().toLowerCase();
  const found = [];
  for (let item = 0; asked && item < model.numItems && found.length < 10; item++)
    if (`${model.items.idOf(item)} ${titleOf(item)}`.toLowerCase().includes(asked) && !liked.includes(item)) found.push(item);
  place("found").replaceChildren(...found.map((item) => button(`+ ${titleOf(item)}`, () => choose([...liked, item]))));
}

async function choose(items) {
  liked.splice(0, liked.length, ...items);
  place("search").value = "";
  showFound();
  const left = (item) => liked.filter((other) => other !== item);
  place("liked").replaceChildren(...liked.map((item) => button(`${titleOf(item)} ×`, () => choose(left(item)))));
  await showList();
}

async function showList() {
  const { itemIndex } = await model.recommend({ history: liked.map((item) => ({ itemIndex: item })) }, { topK: 10 });
  const rows = Array.from(itemIndex, (item) => {
    const row = document.createElement("li");
    row.dataset.item = model.items.idOf(item);
    row.textContent = titleOf(item);
    return row;
  });
  place("list").replaceChildren(...rows);
}

function button(text, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}
