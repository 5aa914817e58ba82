"use strict";
{
  const SHOWN = 100;
  const form = document.getElementById("unit-filter");
  const body = document.getElementById("unit-rows");
  const count = document.getElementById("unit-count");
  const { words, layers, rows } = JSON.parse(document.getElementById("unit-data").textContent);
  const word = (index) => (index < 0 ? "" : words[index]);
  const number = (value) => (value === null ? "–" : String(value).replace("-", "−"));
  const short = (value) => number(value === null ? null : Number(value.toFixed(3)));

  const addOption = (select, value, text) => select.add(new Option(text, value));
  layers.forEach(([model, layer], index) => addOption(form.elements.layer, index, `${model} · ${layer}`));
  const used = [...new Set(rows.map((row) => row[3]))].filter((index) => index >= 0);
  used.sort((a, b) => words[a].localeCompare(words[b])).forEach((index) => {
    addOption(form.elements.category, index, words[index]);
  });
  if (rows.some((row) => row[3] < 0)) addOption(form.elements.category, -1, "no label");

  const matches = (row, text, layer, category) =>
    (layer === "" || row[0] === Number(layer)) &&
    (category === "" || row[3] === Number(category)) &&
    (text === "" || String(row[1]) === text ||
      [row[2], row[6], ...row[11]].some((index) => word(index).toLowerCase().includes(text)));

  const line = (row) => {
    const [model, layer] = layers[row[0]];
    const after = row[2] < 0 ? word(row[7]) : word(row[6]);
    const names = [word(row[2]) || "no label", row[11].map(word).join(", "), word(row[3])];
    const q = row[8] !== null && row[8] < 0.001 ? "< 0.001" : short(row[8]);
    const cells = [model, layer, row[1], ...names, number(row[4]), number(row[5]), q, short(row[9]), short(row[10]), after];
    const tr = document.createElement("tr");
    cells.forEach((text, at) => {
      const td = tr.insertCell();
      td.textContent = text;
      if (at === 2 || (at > 5 && at < 11)) td.className = "number";
      if (at === 3) td.className = "unit-label";
    });
    return tr;
  };

  const show = () => {
    const { text, layer, category, order } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    const found = rows.filter((row) => matches(row, wanted, layer.value, category.value));
    const by = Math.abs(order.value), sign = Math.sign(order.value);
    // A number that is missing comes last, whichever way they are sorted.
    const size = (row) => (row[by] === null ? -Infinity : sign * row[by]);
    if (by) found.sort((a, b) => size(b) - size(a));
    body.replaceChildren(...found.slice(0, SHOWN).map(line));
    count.textContent = found.length > SHOWN ? `first ${SHOWN} of ${found.length} units` : `${found.length} units`;
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = document.getElementById("unit-region").hidden = false;
  show();
}
