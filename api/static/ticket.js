// The ticket's chart, to zoom into: the same box, the same colours, read from the page's tokens. Without it the SVG stays.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("chart");
  const button = document.getElementById("zoom");
  if (!box || !button || typeof uPlot !== "function") return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const [t, value, low, high] = JSON.parse(box.dataset.points);
    const width = box.clientWidth - 24;
    const axis = { stroke: token("--ink-3"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--edge"), width: 1 } };
    box.replaceChildren();
    new uPlot(
      {
        width, height: Math.round(width * 0.46), cursor: { drag: { x: true, y: false } },
        bands: [{ series: [3, 2], fill: token("--band") }],
        axes: [axis, { ...axis, size: 56 }],
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
