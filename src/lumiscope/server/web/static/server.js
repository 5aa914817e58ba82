// Tables sort by their column heads; a submission's page follows its progress.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("th")];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const key = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.value ?? cell.textContent.trim();
        return head.dataset.sort === "number" ? (text === "" ? -Infinity : Number(text)) : text;
      };
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
      body.append(...(rising ? rows : rows.reverse()));
    });
  });
}
const state = document.getElementById("state");
if (state && !("ended" in state.dataset)) {
  const events = new EventSource(state.dataset.events);
  events.addEventListener("state", (event) => {
    const now = JSON.parse(event.data);
    const parts = [now.state];
    if (now.position) parts.push(`number ${now.position} in the queue`);
    if (now.progress) parts.push(`${now.progress.done} of ${now.progress.total} pictures`);
    state.textContent = parts.join(" · ");
    if (now.ended) {
      events.close();
      location.reload();
    }
  });
}
