// Keeps the day's pages on the phone. `SHELL` stands above: the files of this version.
"use strict";
const KEPT = "day-pages";
const SHELL_NAME = `day-shell-${SHELL.map((each) => each.split("=").pop()).join("-")}`;
const PATIENCE_MS = 5000;
const KEPT_MS = 20 * 3600 * 1000;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL_NAME).then((cache) => cache.addAll(SHELL)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("day-shell-") && name !== SHELL_NAME) await caches.delete(name);
    await clients.claim();
  })());
});

// A page is kept under its path alone: languages and messages of the address do not make another one of it.
const slot = (url) => new URL(url).pathname;
const isPage = (url) => url.pathname === "/day" || url.pathname.startsWith("/day/");
// One after the other, so that nothing is written behind a logout.
let closed = false;
let writing = Promise.resolve();
const write = (what) => (writing = writing.then(what).catch(() => {}));
const keep = (url, answer) => write(async () => {
  if (!closed) await (await caches.open(KEPT)).put(slot(url), answer);
});
const forget = () => {
  closed = true;
  return write(() => caches.delete(KEPT));
};

const fresh = async (request) => {
  const answer = await fetch(request);
  // A way to the login: whoever was logged in is not any more, and their day is nobody's to read.
  if (answer.type === "opaqueredirect" || answer.redirected || answer.status === 401) await forget();
  else if (answer.ok) {
    if (request.mode === "navigate") closed = false;
    await keep(request.url, answer.clone());
  }
  return answer;
};
const page = async (request) => {
  // A way into a home is shown on the day of the visit: what was kept yesterday is not.
  const known = async () => {
    // Looked up without opening: a look after the logout would make what was deleted anew, if empty.
    const kept = await caches.match(slot(request.url), { cacheName: KEPT });
    return kept && Date.now() - Date.parse(kept.headers.get("Date")) < KEPT_MS ? kept : undefined;
  };
  const asked = fresh(request);
  asked.catch(() => {});
  const slow = new Promise((done) => { setTimeout(async () => done(await known()), PATIENCE_MS); });
  try {
    return (await Promise.race([asked, slow])) ?? (await asked);
  } catch (error) {
    const kept = await known();
    if (kept) return kept;
    throw error;
  }
};

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  } else if (request.mode === "navigate" && isPage(url)) {
    event.respondWith(page(request));
  } else if (/^\/day\/visits\/[^/]+\/photos\//.test(url.pathname)) {
    event.respondWith(caches.match(slot(request.url)).then((kept) => kept ?? fresh(request)));
  }
});

addEventListener("message", (event) => {
  const { kind, paths } = event.data;
  if (kind === "keep") {
    event.waitUntil((async () => {
      for (const path of paths) await fresh(new Request(path, { redirect: "manual", credentials: "same-origin" })).catch(() => {});
      // What is not of this day any more is not kept.
      const cache = await caches.open(KEPT);
      for (const kept of await cache.keys()) {
        const at = slot(kept.url);
        if (at !== "/day" && !paths.some((path) => at.startsWith(path))) await cache.delete(kept);
      }
      event.source?.postMessage({ kind: "kept", paths });
    })());
  } else if (kind === "clear") {
    event.waitUntil(forget().then(() => event.source?.postMessage({ kind: "cleared" })));
  }
});
