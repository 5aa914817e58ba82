"use strict";
{
  const SHOWN = 100;
  const form = document.getElementById("unit-filter");
  const body = document.getElementById("unit-rows");
  const count = document.getElementById("unit-count");
  const { words, layers, rows } = JSON.parse(document.getElementById("unit-data").textContent);
  const word = (index) => (index < 0 ? "" : words[index]);
  const number = (value) => (value === null ? "–" : String(value).replace("-", "−"));

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
    (text === "" || String(row[1]) === text || `${word(row[2])}\n${word(row[6])}`.toLowerCase().includes(text));

  const line = (row) => {
    const [model, layer] = layers[row[0]];
    const after = row[2] < 0 ? word(row[7]) : word(row[6]);
    const cells = [model, layer, row[1], word(row[2]) || "no label", word(row[3]), number(row[4]), number(row[5]), after];
    const tr = document.createElement("tr");
    cells.forEach((text, at) => {
      const td = tr.insertCell();
      td.textContent = text;
      if (at === 2 || at === 5 || at === 6) td.className = "number";
    });
    return tr;
  };

  const show = () => {
    const { text, layer, category, order } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    const found = rows.filter((row) => matches(row, wanted, layer.value, category.value));
    const by = Number(order.value);
    if (by) found.sort((a, b) => (b[by] ?? -Infinity) - (a[by] ?? -Infinity));
    body.replaceChildren(...found.slice(0, SHOWN).map(line));
    count.textContent = found.length > SHOWN ? `first ${SHOWN} of ${found.length} units` : `${found.length} units`;
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = document.getElementById("unit-region").hidden = false;
  show();
}
