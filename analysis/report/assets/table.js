/* The trials table: sorted by a heading, filtered by text, state and flag. What is missing always comes last. */
const Trials = (() => {
  let key = null, descending = false;
  const $ = (id) => document.getElementById(id);
  const table = () => $("trial-table");

  function sort() {
    if (key === null) return;
    const heads = [...table().tHead.rows[0].cells];
    const place = heads.findIndex((head) => head.dataset.key === key);
    const numeric = heads[place].classList.contains("number");
    const value = (row) => numeric ? parseFloat(row.cells[place].dataset.sort ?? "NaN") : row.cells[place].textContent;
    const missing = (v) => numeric ? Number.isNaN(v) : v === "";
    const order = (a, b) => numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
    const rows = [...table().tBodies[0].rows].map((row, i) => [value(row), i, row]);
    rows.sort(([a, i], [b, j]) => missing(a) - missing(b) || (missing(a) ? 0 : order(a, b) * (descending ? -1 : 1)) || i - j);
    table().tBodies[0].append(...rows.map(([, , row]) => row));
    for (const head of heads) {
      if (head.dataset.key === key) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }
  function filter() {
    const words = $("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = $("filter-state").value, flagged = $("filter-flag").checked;
    let shown = 0;
    const rows = table().tBodies[0].rows;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const keep = words.every((word) => text.includes(word)) && (!state || row.dataset.state === state)
        && (!flagged || "flagged" in row.dataset);
      row.hidden = !keep;
      shown += keep;
    }
    $("filter-count").textContent = `${shown} of ${rows.length}`;
  }
  function start() {
    document.addEventListener("click", (event) => {
      const head = event.target.closest?.("#trial-table thead th");
      if (!head) return;
      descending = key === head.dataset.key ? !descending : false;
      key = head.dataset.key;
      sort();
    });
    document.addEventListener("input", (event) => {
      if (/^filter-/.test(event.target.id)) filter();
    });
  }
  return { start, again: () => { sort(); filter(); } };
})();
