// A page follows the feed of changes. Without script, or when the stream ends, it is as new as the page.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const parts = "[data-live]";
  const root = document.querySelector(parts);
  if (!root || typeof EventSource !== "function") return;
  const address = root.dataset.live;
  let source = null;
  let waiting = 0;

  const refresh = async () => {
    waiting = 0;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll(parts);
    const shown = document.querySelectorAll(parts);
    if (fresh.length !== shown.length) return;
    const held = document.activeElement?.getAttribute("href");
    shown.forEach((old, i) => old.replaceWith(document.adoptNode(fresh[i])));
    // Who stood on a link stands on it again.
    if (held && document.activeElement === document.body) {
      [...document.querySelectorAll(`${parts} a`)].find((link) => link.getAttribute("href") === held)?.focus();
    }
  };
  // Many changes at once are one look.
  const soon = () => { waiting ||= setTimeout(refresh, 300); };
  // What counts down is looked at again now and then, though nothing has changed.
  const every = Number(root.dataset.liveEvery || 0);
  if (every) setInterval(() => { if (!document.hidden) soon(); }, every * 1000);
  const open = () => {
    source = new EventSource(address);
    for (const name of ["ticket", "visit", "reset"]) source.addEventListener(name, soon);
  };
  const close = () => { source?.close(); source = null; };
  // A hidden tab holds no connection: browsers have six for all tabs of a site.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) { open(); soon(); }
  });
  addEventListener("pagehide", close);
  if (!document.hidden) open();
});
