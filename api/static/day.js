// The technician's phone. Every form works without this; with it, what is done is kept first and sent when there is a
// connection, and the page shows at once how things stand.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const main = document.querySelector("main.day");
  if (!main || !("indexedDB" in window)) return;
  const said = main.dataset;
  const line = document.getElementById("line");
  const panel = document.getElementById("queue");
  const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
  const put = (text, value) => text.replace("#", value);
  const LATER_MS = 20000;
  let left = false;

  // ---- What waits, and what it means for the page ----
  const visitOf = (act) => /^\/day\/visits\/([^/]+)/.exec(act.path)?.[1];
  const clock = (at) => new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
  const element = (name, text, kind = "") => Object.assign(document.createElement(name), { textContent: text, className: kind });

  const overlay = (acts) => {
    const ahead = new Map();
    for (const act of acts) if (act.state && !act.refused) ahead.set(visitOf(act), act.state);
    const shown = [...document.querySelectorAll("[data-visit]")];
    for (const each of shown) {
      const state = ahead.get(each.dataset.visit) ?? each.dataset.state;
      each.dataset.now = state;
      const chip = document.querySelector(`template[data-chip="${state}"]`);
      const place = each.querySelector(".stop-top .health") ?? document.querySelector("#chip .health");
      if (chip && place && ahead.has(each.dataset.visit)) place.replaceWith(chip.content.cloneNode(true).firstElementChild);
    }
    const plate = document.getElementById("plate");
    if (!plate || !ahead.size) return;
    const live = shown.filter((each) => !["done", "missed", "cancelled"].includes(each.dataset.now));
    const next = plate.dataset.visit ? plate : live[0] ?? shown.at(-1);
    const pane = next && document.querySelector(`template[data-pane="${next.dataset.visit}:${next.dataset.now}"]`);
    if (pane) plate.replaceChildren(pane.content.cloneNode(true));
  };
  const preview = (acts) => {
    const photos = document.getElementById("photos");
    if (!photos) return;
    photos.querySelectorAll("[data-no]").forEach((each) => each.remove());
    for (const act of acts.filter((each) => each.file && location.pathname.endsWith(visitOf(each)))) {
      const item = document.createElement("li");
      item.dataset.no = act.no;
      const picture = document.createElement("img");
      picture.alt = act.label;
      const reader = new FileReader();
      reader.onload = () => { picture.src = reader.result; };
      reader.readAsDataURL(act.file);
      item.append(picture, element("span", said.saidWaiting, "waits"));
      photos.append(item);
      document.getElementById("no-photos")?.remove();
    }
  };
  const ticks = (acts) => {
    for (const act of acts.filter((each) => each.kind === "steps" && !each.refused && location.pathname.endsWith(visitOf(each)))) {
      const done = new Set(act.fields.filter(([name]) => name === "done").map(([, value]) => value));
      for (const [name, value] of act.fields) {
        const box = name === "listed" && document.querySelector(`.steps-list input[value="${CSS.escape(value)}"][name="done"]`);
        if (box) box.checked = done.has(value);
      }
    }
  };
  const show = async (stopped = "") => {
    const acts = (await Queue.all()).filter((each) => each.person === said.person);
    const rows = acts.map((act) => {
      const row = element("li", "", act.refused ? "refused" : "");
      row.append(element("b", `${act.label} · ${clock(act.at)}`));
      if (!act.refused) row.append(element("small", said.saidWaiting));
      else {
        row.append(element("small", act.refused.title, "why"), element("small", act.refused.detail));
        const drop = element("button", said.saidDismiss);
        drop.type = "button";
        drop.addEventListener("click", async () => { await Queue.remove(act.no); show(); });
        row.append(drop);
      }
      return row;
    });
    panel.hidden = !rows.length;
    panel.querySelector("ul").replaceChildren(...rows);
    const waiting = acts.filter((each) => !each.refused).length;
    const words = [];
    if (stopped === "login") words.push(said.saidLogin);
    else if (!navigator.onLine || stopped === "offline") words.push(said.saidOffline);
    if (waiting) words.push(put(said.saidCount, waiting));
    const told = words.join(document.documentElement.lang.startsWith("zh") ? "" : " ");
    if (line.textContent !== told) line.textContent = told;
    line.hidden = !told;
    overlay(acts);
    preview(acts);
    ticks(acts);
    return acts;
  };
  const busy = () => [...document.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=file])")].some((each) => each.value !== each.defaultValue);
  const flush = async () => {
    const result = await Queue.flush();
    if (left) return result;
    await show(result.stopped);
    if ((result.went || result.refused.length) && !result.stopped && !busy()) {
      // The page as the desk has it now, without the message of an earlier form.
      left = true;
      location.replace(location.pathname);
    }
    return result;
  };

  // ---- Forms ----
  const enter = async (form, kind, more = {}) => {
    const fields = more.fields ?? [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !["csrf", "key"].includes(name));
    const act = {
      key: unique(), person: said.person, path: new URL(form.action).pathname, kind, fields, at: Date.now(),
      label: more.label ?? form.dataset.label ?? document.title, state: form.dataset.state ?? null, file: more.file ?? null, refused: null,
    };
    act.no = await Queue.put(act);
    return act;
  };
  const refuse = (form, title, detail) => {
    const place = form.querySelector(".wrong");
    if (!place) return false;
    place.replaceChildren(element("b", title), document.createTextNode(detail));
    place.hidden = false;
    place.scrollIntoView({ block: "center" });
    return true;
  };
  const submit = async (event) => {
    const form = event.target;
    if (!form.matches("form[data-queue]")) return;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = "1";
    try {
      const act = await enter(form, form.dataset.queue);
      const then = form.dataset.then;
      if (then) left = true;
      const result = await flush();
      const refused = result.refused.find((each) => each.key === act.key);
      if (refused && refuse(form, refused.refused.title, refused.refused.detail)) {
        await Queue.remove(refused.no);
        left = false;
        await show();
      } else if (then && (!result.stopped || navigator.serviceWorker?.controller)) {
        location.assign(then);
      } else if (then) {
        left = false;
        await show(result.stopped);
      }
    } finally {
      delete form.dataset.sending;
    }
  };
  document.addEventListener("submit", submit);
  document.documentElement.classList.add("scripted");

  document.querySelector("form[data-steps]")?.addEventListener("change", async (event) => {
    const box = event.target;
    const form = box.closest("form");
    const fields = [["listed", box.value], ...(box.checked ? [["done", box.value]] : [])];
    await enter(form, "steps", { fields, label: box.closest("label").innerText.trim() });
    const result = await Queue.flush();
    await show(result.stopped);
  });

  // ---- Photos: turned upright and made small here, so that they leave on a poor line ----
  const MOST = 680000;
  const shrink = async (file) => {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    for (const [edge, quality] of [[1600, .82], [1280, .78], [1024, .7], [800, .6]]) {
      const scale = Math.min(1, edge / Math.max(picture.width, picture.height));
      const canvas = Object.assign(document.createElement("canvas"), { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", quality); });
      if (blob && blob.size <= MOST) return blob;
    }
    throw new Error("too large");
  };
  const photos = document.querySelector("form[data-photo]");
  photos?.querySelector("input[type=file]").addEventListener("change", async (event) => {
    const input = event.target;
    try {
      for (const file of input.files) await enter(photos, "photo", { fields: [], file: await shrink(file) });
    } catch {
      line.textContent = said.saidPhoto;
      line.hidden = false;
      return;
    } finally {
      input.value = "";
    }
    await show();
    await flush();
  });

  // ---- The label of a part: the SKU, or the SKU and the piece's own number behind a space, / or * ----
  const outcome = document.querySelector(".outcome form");
  const read = (code) => {
    const [, sku, serial] = /^\s*([A-Z0-9]+(?:-[A-Z0-9]+)+)(?:[\s/*|]+(\S+))?\s*$/i.exec(code) ?? [];
    return { sku: sku?.toUpperCase(), serial: serial ?? (sku ? "" : code.trim()) };
  };
  const strange = () => {
    if (!outcome) return;
    const own = new Set(outcome.dataset.own.split(" "));
    const extra = outcome.elements.extra.value;
    const note = outcome.elements.note;
    const repaired = outcome.querySelector("[name=code]:checked")?.value === "repaired";
    const odd = repaired && extra && !own.has(extra);
    note.setCustomValidity(odd && !note.value.trim() ? put(said.saidStrange, extra) : "");
    outcome.elements.cause.required = repaired;
    const charged = outcome.elements.charged;
    if (!charged) return;
    const asked = Number(charged.value.replace(/[,¥\s]/g, ""));
    charged.setCustomValidity(repaired && asked > Number(charged.dataset.most) ? charged.dataset.said : "");
  };
  outcome?.addEventListener("input", strange);
  strange();
  const place = (code) => {
    const { sku, serial } = read(code);
    const told = outcome.querySelector(".scan-said");
    let part = sku && outcome.querySelector(`.part[data-sku="${CSS.escape(sku)}"]`);
    if (sku && !part && [...outcome.elements.extra.options].some((each) => each.value === sku)) {
      outcome.elements.extra.value = sku;
      part = outcome.querySelector(".part.extra");
    }
    part ??= sku ? null : outcome.querySelector(".part[data-sku]");
    if (!part) { told.textContent = put(said.saidStrange, sku ?? code); return; }
    const box = part.querySelector("[type=checkbox]");
    if (box) box.checked = true;
    if (serial) part.querySelector("[name=serial], [name=extra_serial]").value = serial;
    told.textContent = put(said.saidPlaced, code);
    strange();
    if (outcome.elements.note.validationMessage) told.textContent = outcome.elements.note.validationMessage;
  };
  outcome?.addEventListener("change", (event) => {
    if (event.target.matches("[name=serial], [name=extra_serial]") && read(event.target.value).sku) {
      const code = event.target.value;
      event.target.value = "";
      place(code);
    }
  });
  if (outcome && "BarcodeDetector" in window) {
    const scan = outcome.querySelector(".scan");
    scan.hidden = false;
    scan.querySelector("input").addEventListener("change", async (event) => {
      const file = event.target.files[0];
      event.target.value = "";
      if (!file) return;
      const found = await new BarcodeDetector().detect(await createImageBitmap(file)).catch(() => []);
      if (found.length) place(found[0].rawValue);
      else outcome.querySelector(".scan-said").textContent = said.saidNocode;
    });
  }

  // ---- Where the phone is: only on the way, every half minute; it is not kept here ----
  const EVERY_MS = 30000;
  const follow = () => {
    const where = main.querySelector("[data-follow]");
    const shown = document.querySelector("[data-visit][data-state='travelling']");
    if (!where || !shown || !("geolocation" in navigator)) return;
    let last = 0;
    const watch = navigator.geolocation.watchPosition(async ({ coords }) => {
      if (Date.now() - last < EVERY_MS || document.hidden) return;
      last = Date.now();
      const form = new URLSearchParams({ csrf: said.csrf, lat: coords.latitude, lon: coords.longitude });
      const answer = await fetch(where.dataset.follow, { method: "POST", body: form, redirect: "manual" }).catch(() => null);
      if (answer && (answer.status === 409 || answer.status === 404)) navigator.geolocation.clearWatch(watch);
    }, () => {}, { enableHighAccuracy: true, maximumAge: EVERY_MS });
  };

  // ---- The phone's copy of the day; it goes with the session ----
  const worker = navigator.serviceWorker;
  const paths = () => ["/day", ...[...document.querySelectorAll("[data-keep]")].map((each) => new URL(each.href).pathname)];
  if (worker) {
    worker.register("/day-sw.js", { scope: "/day" }).then(() => worker.ready).then(({ active }) => {
      if (navigator.onLine && location.pathname === "/day") active.postMessage({ kind: "keep", paths: [...new Set(paths())] });
    }).catch(() => {});
    worker.addEventListener("message", (event) => { main.dataset[event.data.kind] = "1"; });
  }
  const leave = document.getElementById("leave");
  leave?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const waiting = (await Queue.all()).some((each) => each.person === said.person && !each.refused);
    if (waiting) {
      line.textContent = said.saidLeave;
      line.hidden = false;
      line.scrollIntoView();
      return;
    }
    if (worker?.controller) {
      const cleared = new Promise((done) => {
        worker.addEventListener("message", ({ data }) => { if (data.kind === "cleared") done(); });
        setTimeout(done, 3000);
      });
      worker.controller.postMessage({ kind: "clear" });
      await cleared;
    }
    for (const name of await caches.keys()) await caches.delete(name);
    await (await worker?.getRegistration("/day"))?.unregister();
    leave.submit();
  });

  addEventListener("online", flush);
  addEventListener("offline", () => show("offline"));
  setInterval(async () => { if ((await Queue.all()).some((each) => !each.refused)) flush(); }, LATER_MS);
  show().then((acts) => { if (acts.some((each) => !each.refused)) flush(); });
  follow();
});
