// Engineers' pages: the strips become charts to zoom into and follow, a run of the bench is looked after. Without
// script the strips are pictures, and links move and zoom.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const going = document.querySelector("[data-going]");
  if (going) setTimeout(() => location.reload(), 2000);

  const box = document.getElementById("signals");
  if (!box || typeof uPlot !== "function") return;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rows = [...box.querySelectorAll("[data-channel]")];
  const plots = new Map();
  const sync = uPlot.sync("lab");
  // Charts share where the pointer is, not what is dragged: one drag is one look.
  const pointing = (type) => type === "mousemove" || type === "mouseleave";
  let asked = 0;
  let query = box.dataset.query;
  let zoomed = false;
  let latest = null;

  const hatch = () => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = token("--edge");
    pen.globalAlpha = 0.6;
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const at of [-8, 0, 8]) { pen.moveTo(at, 8); pen.lineTo(at + 8, 0); }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  };
  // What stands behind the line: columns of work, gaps, and what happened.
  const behind = (u) => {
    const { left, top, width, height } = u.bbox;
    const pen = u.ctx;
    const column = (from, to, fill) => {
      const a = Math.max(left, u.valToPos(from, "x", true));
      const b = Math.min(left + width, u.valToPos(to, "x", true));
      if (b <= a) return;
      pen.fillStyle = fill;
      pen.fillRect(a, top, b - a, height);
    };
    pen.save();
    for (const [from, to] of latest.active) column(from, to, token("--unknown-tint"));
    const pattern = hatch();
    for (const [from, to] of latest.gaps) column(from, to, pattern);
    for (const mark of latest.marks) {
      if (mark.kind === "event" || mark.at < latest.start || mark.at > latest.end) continue;
      const at = u.valToPos(mark.at, "x", true);
      const planned = mark.kind === "visit" || mark.kind === "repair";
      pen.strokeStyle = token(planned ? "--rim" : "--ink");
      pen.lineWidth = planned ? 2 * devicePixelRatio : 1.3 * devicePixelRatio;
      pen.setLineDash(planned || mark.kind === "now" ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
      pen.beginPath();
      pen.moveTo(at, top);
      pen.lineTo(at, top + height);
      pen.stroke();
    }
    pen.restore();
  };
  const local = (seconds) => new Date((seconds + latest.offset) * 1000);
  const made = (row) => {
    const cell = row.querySelector(".pic");
    const plot = new uPlot(
      {
        width: cell.clientWidth, height: 64, tzDate: local, padding: [3, 0, 3, 0],
        cursor: { sync: { key: sync.key, filters: { pub: pointing } }, drag: { x: true, y: false, setScale: false }, y: false, points: { size: 6 } },
        legend: { show: false },
        scales: { x: { time: true } },
        bands: [{ series: [2, 1], fill: token("--edge") + "55" }],
        axes: [
          { show: false },
          { size: 44, gap: 3, font: `11px ${token("--font-latin")}`, stroke: token("--ink-3"), space: 26, grid: { show: false }, ticks: { show: false } },
        ],
        series: [
          {},
          { stroke: "transparent", points: { show: false } },
          { stroke: "transparent", points: { show: false } },
          { stroke: token("--ink"), width: 1.3, spanGaps: false, points: { show: false } },
        ],
        hooks: {
          drawClear: [behind],
          setSelect: [(u) => { if (u.select.width > 4) look(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")); }],
          setCursor: [(u) => tell(row, u)],
        },
      },
      [[], [], [], []],
      cell,
    );
    // The picture leaves when the chart stands in its place.
    cell.querySelector("svg")?.remove();
    cell.addEventListener("dblclick", whole);
    return plot;
  };
  const tell = (row, u) => {
    const channel = latest.channels.find((each) => each.id === row.dataset.channel);
    const at = u.cursor.idx;
    const value = at == null ? null : channel.columns[2][at];
    row.querySelector(".val b").textContent = value == null ? channel.value : value.toFixed(channel.decimals);
  };
  const draw = () => {
    for (const row of rows) {
      const channel = latest.channels.find((each) => each.id === row.dataset.channel);
      if (!channel) continue;
      if (!plots.has(row)) plots.set(row, made(row));
      const plot = plots.get(row);
      plot.batch(() => {
        plot.setData([latest.t, ...channel.columns], false);
        plot.setScale("x", { min: latest.start, max: latest.end });
        const known = channel.columns.flat().filter((each) => each != null);
        const low = Math.min(...known), high = Math.max(...known);
        const rim = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
        plot.setScale("y", known.length ? { min: low - rim, max: high + rim } : { min: 0, max: 1 });
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      });
      row.querySelector(".val b").textContent = channel.value;
    }
    // What happened and the times, drawn by the server for this stretch.
    box.querySelector(".marks .pic").innerHTML = latest.pictures.marks;
    box.querySelector(".axis .pic").innerHTML = latest.pictures.axis;
    document.getElementById("when").textContent = latest.when;
    box.dataset.shown = query;
  };
  const load = async (wanted) => {
    // Only the newest question counts: an answer that comes late is dropped.
    const mine = ++asked;
    const answer = await fetch(`${box.dataset.address}?${wanted}`, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return false;
    const found = await answer.json();
    if (mine !== asked) return false;
    latest = found;
    query = wanted;
    draw();
    return true;
  };
  const stamp = (seconds) => encodeURIComponent(new Date(seconds * 1000).toISOString());
  const look = (from, to) => { zoomed = true; again.hidden = false; load(`from=${stamp(from)}&to=${stamp(to)}`); };
  const whole = () => { if (zoomed) { zoomed = false; again.hidden = true; load(box.dataset.query); } };
  const again = document.createElement("button");
  again.type = "button";
  again.className = "btn";
  again.id = "whole";
  again.hidden = true;
  again.textContent = box.dataset.reset;
  again.addEventListener("click", whole);
  document.getElementById("when").parentElement.append(" ", again);

  load(query).then((good) => {
    if (!good) return;
    document.querySelectorAll(".of-script").forEach((each) => { each.hidden = false; });
    box.dataset.ready = "";
    box.classList.add("scripted");
    addEventListener("resize", () => plots.forEach((plot, row) => plot.setSize({ width: row.querySelector(".pic").clientWidth, height: 64 })));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { plots.forEach((plot) => plot.destroy()); plots.clear(); draw(); });
    if ("live" in box.dataset) setInterval(() => { if (!document.hidden && !zoomed) load(box.dataset.query); }, 3000);
  });
});
