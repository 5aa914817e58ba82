"use strict";
{
  const SHOWN = 100;
  const NO_LABEL = "no label";
  const form = document.getElementById("unit-filter");
  const body = document.getElementById("unit-rows");
  const count = document.getElementById("unit-count");
  const { words, columns } = JSON.parse(document.getElementById("unit-data").textContent);
  const word = (place) => (place === null ? "" : words[place]);
  const number = (value) => (value === null ? "–" : String(value).replace("-", "−"));
  const short = (value) => number(value === null ? null : Number(value.toFixed(3)));

  const units = columns.unit.map((unit, at) => ({
    unit,
    model: word(columns.model[at]),
    layer: word(columns.layer[at]),
    label: word(columns.label[at]),
    further_labels: columns.further_labels[at].map(word),
    category: word(columns.category[at]) || NO_LABEL,
    runner_up: word(columns.runner_up[at]),
    reason: [word(columns.reason[at]), word(columns.reason_detail[at])].filter(Boolean).join(": "),
    score: columns.score[at],
    margin: columns.margin[at],
    q_value: columns.q_value[at],
    heldout_correlation: columns.heldout_correlation[at],
    stability: columns.stability[at],
  }));

  const place = (unit) => `${unit.model} · ${unit.layer}`;
  const addOptions = (select, values) => values.forEach((value) => select.add(new Option(value, value)));
  addOptions(form.elements.layer, [...new Set(units.map(place))]);
  const categories = new Set(units.map((unit) => unit.category));
  const refused = categories.delete(NO_LABEL);
  addOptions(form.elements.category, [...categories].sort((a, b) => a.localeCompare(b)));
  if (refused) addOptions(form.elements.category, [NO_LABEL]);

  const matches = (unit, text, layer, category) =>
    (layer === "" || place(unit) === layer) &&
    (category === "" || unit.category === category) &&
    (text === "" || String(unit.unit) === text ||
      [unit.label, unit.runner_up, ...unit.further_labels].some((name) => name.toLowerCase().includes(text)));

  const cells = (unit) => [
    [unit.model], [unit.layer], [unit.unit, "number"],
    [unit.label || NO_LABEL, "unit-label"], [unit.further_labels.join(", ")], [unit.label && unit.category],
    [number(unit.score), "number"], [number(unit.margin), "number"],
    [unit.q_value !== null && unit.q_value < 0.001 ? "< 0.001" : short(unit.q_value), "number"],
    [short(unit.heldout_correlation), "number"], [short(unit.stability), "number"],
    [unit.label ? unit.runner_up : unit.reason],
  ];

  const line = (unit) => {
    const tr = document.createElement("tr");
    for (const [text, style] of cells(unit)) {
      const td = tr.insertCell();
      td.textContent = text;
      if (style) td.className = style;
    }
    return tr;
  };

  const sorted = (shown, { value: column, dataset }) => {
    if (column === "") return shown;
    const sign = dataset.order === "descending" ? -1 : 1;
    // A number that is missing comes last, whichever way they are sorted.
    const size = (unit) => (unit[column] === null ? Infinity : sign * unit[column]);
    return shown.sort((a, b) => size(a) - size(b));
  };

  const show = () => {
    const { text, layer, category, order } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    const shown = units.filter((unit) => matches(unit, wanted, layer.value, category.value));
    body.replaceChildren(...sorted(shown, order.selectedOptions[0]).slice(0, SHOWN).map(line));
    count.textContent = shown.length > SHOWN ? `first ${SHOWN} of ${shown.length} units` : `${shown.length} units`;
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = document.getElementById("unit-region").hidden = false;
  show();
}
