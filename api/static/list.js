// A list by keyboard: / searches, j and k go down and up, Enter opens what has the focus. Links and forms do it all without.
"use strict";
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  if (at?.matches("input, textarea, select")) {
    if (event.key === "Escape") at.blur();
    return;
  }
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const rows = [...document.querySelectorAll("tbody th[scope=row] a")];
  if (!rows.length) return;
  const here = rows.indexOf(at);
  const next = here < 0 ? (event.key === "j" ? 0 : rows.length - 1) : here + (event.key === "j" ? 1 : -1);
  rows[Math.max(0, Math.min(rows.length - 1, next))].focus();
  event.preventDefault();
});
