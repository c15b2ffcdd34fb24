"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => row.cells[i].dataset.value === undefined ? row.cells[i].textContent : Number(row.cells[i].dataset.value);
  heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const order = (a, b) => typeof a === "number" ? a - b : a.localeCompare(b);
    const rows = [...table.tBodies[0].rows].sort((a, b) => sign * order(key(a, i), key(b, i)));
    table.tBodies[0].append(...rows);
  }));
}
