// What was done on this phone and is not yet known to the desk: kept in IndexedDB, sent in order, each exactly once.
"use strict";
const Queue = (() => {
  const STORE = "acts";
  const opened = () => new Promise((done, failed) => {
    const asked = indexedDB.open("wellkept-day", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "no", autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const run = async (mode, what) => {
    const db = await opened();
    try {
      return await new Promise((done, failed) => {
        const tx = db.transaction(STORE, mode);
        const asked = what(tx.objectStore(STORE));
        // Not before the transaction is on the disk: what is said to be kept is kept.
        tx.oncomplete = () => done(asked?.result);
        tx.onabort = () => failed(tx.error);
      });
    } finally {
      db.close();
    }
  };
  const all = () => run("readonly", (store) => store.getAll());
  const put = (act) => run("readwrite", (store) => store.put(act));
  const remove = (no) => run("readwrite", (store) => store.delete(no));
  const clear = () => run("readwrite", (store) => store.clear());

  const session = async () => {
    const answer = await fetch("/day/session", { headers: { Accept: "application/json" }, redirect: "manual", cache: "no-store" });
    return answer.ok ? answer.json() : null;
  };
  const body = (act, csrf) => {
    const form = new FormData();
    for (const [name, value] of act.fields) form.append(name, value);
    if (act.file) form.append("photo", act.file, "photo.jpg");
    form.set("csrf", csrf);
    form.set("key", act.key);
    form.set("ago", String(Math.min(Math.max(0, (Date.now() - act.at) / 1000), 600000)));
    return form;
  };

  // Sends what waits. Answers how many went, and why it stopped: "", "offline", "login" or "later".
  const send = async () => {
    const result = { went: 0, stopped: "", refused: [] };
    let who = null;
    for (const act of (await all()).filter((each) => !each.refused)) {
      try {
        who ??= await session();
        if (!who) { result.stopped = "login"; break; }
        if (act.person !== who.person) continue;
        const answer = await fetch(act.path, {
          method: "POST", body: body(act, who.csrf), redirect: "manual", headers: { Accept: "application/json" },
        });
        if (answer.ok) {
          await remove(act.no);
          result.went += 1;
        } else if (answer.type === "opaqueredirect") {
          result.stopped = "login";
          break;
        } else if (answer.status === 403 || answer.status >= 500 || answer.headers.has("Retry-After")) {
          result.stopped = "later";
          break;
        } else {
          const said = await answer.json().catch(() => ({}));
          act.refused = { title: said.title || String(answer.status), detail: said.detail || "" };
          await put(act);
          result.refused.push(act);
        }
      } catch {
        result.stopped = "offline";
        break;
      }
    }
    return result;
  };
  // One page at a time sends, so that the order holds; the keys hold it to once in any case.
  let sending = Promise.resolve();
  const flush = () => {
    const go = () => (navigator.locks ? navigator.locks.request("wellkept-day", send) : send());
    return (sending = sending.then(go, go));
  };
  return { all, put, remove, clear, flush };
})();
