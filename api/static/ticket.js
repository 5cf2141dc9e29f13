// The ticket's chart, to zoom into: the same box, colours and marks, read from the page's tokens. Without it the SVG stays.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("chart");
  const button = document.getElementById("zoom");
  if (!box || !button || typeof uPlot !== "function") return;
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shapes = {
    onset: ["--ink", [2, 3]], finding: ["--warn-mark", [2, 3]], now: ["--ink", []], visit: ["--rim", []], repair: ["--rim", []],
  };

  // Onset hollow diamond, finding triangle, visit hollow ring, repair filled ring, now a plain line.
  const mark = (plot, name, at) => {
    const x = Math.round(plot.valToPos(at, "x", true));
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) return;
    const [colour, dashes] = shapes[name];
    const pen = plot.ctx;
    const unit = devicePixelRatio;
    const top = plot.bbox.top;
    pen.save();
    pen.strokeStyle = token(colour);
    pen.fillStyle = name === "repair" || name === "finding" ? token(colour) : token("--surface");
    pen.lineWidth = 1.5 * unit;
    pen.setLineDash(dashes.map((each) => each * unit));
    pen.beginPath(); pen.moveTo(x, top); pen.lineTo(x, top + plot.bbox.height); pen.stroke();
    pen.setLineDash([]);
    pen.beginPath();
    const r = 5 * unit;
    if (name === "onset") { pen.moveTo(x, top); pen.lineTo(x + r, top + r); pen.lineTo(x, top + 2 * r); pen.lineTo(x - r, top + r); pen.closePath(); }
    else if (name === "finding") { pen.moveTo(x, top); pen.lineTo(x + r, top + 2 * r); pen.lineTo(x - r, top + 2 * r); pen.closePath(); }
    else if (name !== "now") pen.arc(x, top + r, r, 0, 2 * Math.PI);
    pen.fill(); pen.stroke();
    pen.restore();
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    const { t, value, low, high, marks } = JSON.parse(box.dataset.points);
    const width = box.clientWidth - 24;
    const axis = { stroke: token("--ink-3"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--edge"), width: 1 } };
    const last = Math.max(...t, ...Object.values(marks));
    box.replaceChildren();
    new uPlot(
      {
        width, height: Math.round(width * 0.46), cursor: { drag: { x: true, y: false } },
        scales: { x: { range: (plot, from, to) => [from, plot.zoomed ? to : Math.max(to, last)] } },
        bands: [{ series: [3, 2], fill: token("--band") }],
        axes: [axis, { ...axis, size: 56 }],
        hooks: {
          draw: [(plot) => { for (const [name, at] of Object.entries(marks)) mark(plot, name, at); }],
          setSelect: [(plot) => { plot.zoomed = plot.select.width > 0; }],
        },
        series: [
          {},
          { label: box.dataset.caption, stroke: token("--ink"), width: 1.8, spanGaps: false, points: { size: 5, stroke: token("--warn-mark") } },
          { label: box.dataset.usual, stroke: token("--band-edge"), width: 1, points: { show: false } },
          { label: box.dataset.usual, stroke: token("--band-edge"), width: 1, points: { show: false } },
        ],
      },
      [t, value, low, high],
      box,
    );
    button.hidden = true;
  });
});
