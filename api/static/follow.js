// A page that is looked at follows what happens: parts marked data-live are replaced when they differ, never otherwise,
// so that nothing is read out twice. Without script the page has a link to load it anew.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const root = document.querySelector("[data-follow]");
  if (!root || typeof fetch !== "function") return;
  const every = 1000 * (Number(root.dataset.follow) || 15);
  let timer = 0;

  const take = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now || now.innerHTML === old.innerHTML) continue;
      const held = old.contains(document.activeElement) ? document.activeElement.id : "";
      // A form that somebody is filling in stays.
      if (!held && old.contains(document.activeElement)) continue;
      old.replaceChildren(...[...now.childNodes].map((each) => document.adoptNode(each)));
      if (held) document.getElementById(held)?.focus();
    }
  };
  const look = async () => {
    try {
      const url = new URL(location.href);
      for (const told of ["done", "gone"]) url.searchParams.delete(told);
      const answer = await fetch(url, { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
      if (answer.ok && !answer.redirected) take(await answer.text());
    } catch {
      // Without a connection the page stays as it is, with the time at which it was true.
    }
  };
  const go = () => { timer ||= setInterval(look, every); };
  const stop = () => { clearInterval(timer); timer = 0; };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else { look(); go(); }
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", go);
  if (!document.hidden) go();
});
