// Draws the trial's plots from the data inside the page; again when its width or the system's colours change.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const font = "12px system-ui, sans-serif";

const axis = (label, more = {}) => ({
  stroke: token("--ink-3"), font, labelFont: font, label, labelSize: 20, size: 34,
  grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line"), width: 1, size: 4 }, ...more,
});
const plain = (_, values) => values.map((v) => (v === null ? "" : String(Math.round(v * 1000) / 1000)));
const base = (box) => ({ width: box.clientWidth, height: 280, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { show: false } } });

// How many faults were caught with so many days to go.
function leads(box) {
  const most = Math.max(...data.leads);
  const width = [0.25, 0.5, 1, 2, 5, 10].find((step) => most / step <= 24) ?? 20;
  const bins = Math.floor(most / width) + 1;
  const counts = Array(bins).fill(0);
  for (const lead of data.leads) counts[Math.floor(lead / width)] += 1;
  const x = counts.map((_, i) => (i + 0.5) * width);
  new uPlot({
    ...base(box),
    scales: { x: { time: false, range: [0, bins * width] }, y: { range: [0, Math.max(...counts) * 1.1] } },
    axes: [axis("days from ticket to failure", { values: plain }), axis("faults", { size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] })],
    series: [{}, { fill: token("--band-edge"), stroke: token("--band-edge"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.92, 200] }) }],
  }, [x, counts], box);
}

// Each ticket's interval of remaining life, and the truth in it or outside.
function lives(box) {
  const rows = data.lives;
  // Hours and months side by side: the scale is logarithmic, and what lies below its foot is drawn at it.
  const foot = Math.max(0.02, 0.5 * Math.min(...rows.map(([t, low]) => Math.min(t, low > 0 ? low : t))));
  const top = 1.3 * Math.max(...rows.map(([t, , high]) => Math.max(t, Math.min(high, 5 * rows[rows.length - 1][0]))));
  const place = (u, days) => u.valToPos(Math.max(days, foot), "y", true);
  const draw = (u) => {
    const { ctx } = u;
    ctx.save();
    ctx.beginPath(); ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); ctx.clip();
    const ratio = devicePixelRatio;
    rows.forEach(([t, low, high], i) => {
      const inside = low <= t && t <= high;
      const x = u.valToPos(i + 1, "x", true);
      ctx.strokeStyle = inside ? token("--band-edge") : token("--warn-mark");
      ctx.lineWidth = Math.max(1, Math.min(4, u.bbox.width / rows.length / ratio - 1)) * ratio;
      ctx.beginPath(); ctx.moveTo(x, place(u, low)); ctx.lineTo(x, place(u, high)); ctx.stroke();
      ctx.fillStyle = inside ? token("--ink") : token("--stop");
      ctx.beginPath(); ctx.arc(x, place(u, t), 2.4 * ratio, 0, 7); ctx.fill();
    });
    ctx.restore();
  };
  new uPlot({
    ...base(box), hooks: { draw: [draw] },
    scales: { x: { time: false, range: [0, rows.length + 1] }, y: { distr: 3, range: [foot, top] } },
    axes: [axis("caught faults, the shortest-lived first", { values: () => [] }), axis("days from the ticket", { size: 52, values: (_, v) => v.map((n) => (n === null ? "" : String(+n.toPrecision(2)))) })],
    series: [{}, { stroke: "transparent", points: { show: false } }],
  }, [rows.map((_, i) => i + 1), rows.map(([t]) => t)], box);
}

// What share would be covered were all intervals shorter or longer.
function coverage(box) {
  const x = data.coverage.map(([scale]) => scale);
  new uPlot({
    ...base(box),
    scales: { x: { time: false, range: [0, 3.05] }, y: { range: [0, 1.02] } },
    axes: [axis("length of the intervals, times", { values: plain }), axis("share covered", { size: 52, values: (_, v) => v.map((y) => `${Math.round(100 * y)} %`) })],
    series: [{}, { stroke: token("--rim"), width: 2, points: { show: true, size: 6, fill: token("--rim") } }, { stroke: token("--ink-3"), width: 1, dash: [5, 5], points: { show: false } }],
  }, [x, data.coverage.map(([, y]) => y), x.map(() => 0.9)], box);
}

// Recall against false tickets, for every threshold; the product is one point.
function sweep(box) {
  const seen = new Map();
  for (const [rate, recall, z] of data.sweep) {
    const x = Math.max(rate, data.least);
    if (!seen.has(x) || seen.get(x)[0] < recall) seen.set(x, [recall, z]);
  }
  const own = data.product[1] === null ? null : Math.max(data.product[0], data.least);
  const x = [...new Set([...seen.keys(), ...(own === null ? [] : [own])])].sort((a, b) => a - b);
  const low = x[0] / 1.5, high = x[x.length - 1] * 1.5;
  const mark = (u) => {
    if (own === null) return;
    const { ctx } = u, ratio = devicePixelRatio;
    const px = u.valToPos(own, "x", true), py = u.valToPos(data.product[1], "y", true);
    ctx.save();
    ctx.fillStyle = token("--rim"); ctx.beginPath(); ctx.arc(px, py, 6 * ratio, 0, 7); ctx.fill();
    ctx.font = `${600} ${13 * ratio}px system-ui, sans-serif`; ctx.textBaseline = "middle";
    const right = px > u.bbox.left + u.bbox.width * 0.7;
    ctx.textAlign = right ? "right" : "left";
    ctx.fillText("Wellkept", px + (right ? -12 : 12) * ratio, py + (data.product[1] > 0.9 ? 14 : 0) * ratio);
    ctx.restore();
  };
  new uPlot({
    ...base(box), hooks: { draw: [mark] },
    scales: { x: { time: false, distr: 3, range: [low, high] }, y: { range: [0, 1.05] } },
    axes: [axis("false tickets a device-year", { values: (_, v) => v.map((n) => (n === null ? "" : String(+n.toPrecision(2)))) }), axis("faults caught before failure", { size: 52, values: (_, v) => v.map((y) => `${Math.round(100 * y)} %`) })],
    series: [{}, { stroke: token("--warn-mark"), width: 2, spanGaps: true, points: { show: true, size: 5, fill: token("--warn-mark") } }],
  }, [x, x.map((v) => (seen.has(v) ? seen.get(v)[0] : null))], box);
}

const plots = { leads, lives, coverage, sweep };
function draw() {
  for (const box of document.querySelectorAll("[data-plot]")) {
    box.replaceChildren();
    if (box.clientWidth > 0) plots[box.dataset.plot](box);
  }
}
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = innerWidth;
let waiting;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(draw, 150);
});

// Tables sort by the column whose head is pressed.
const size = (text) => { const n = parseFloat(text.replace(/,/g, "")); return Number.isNaN(n) ? -Infinity : /\bh$/.test(text) ? n / 24 : n; };
for (const head of document.querySelectorAll("thead th")) {
  head.tabIndex = 0;
  const sort = () => {
    const body = head.closest("table").tBodies[0], place = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = (row) => row.children[place].textContent.trim();
    const by = place === 0 ? (a, b) => text(b).localeCompare(text(a)) : (a, b) => size(text(b)) - size(text(a));
    body.append(...[...body.rows].sort((a, b) => (down ? 1 : -1) * by(a, b)));
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); } });
}
