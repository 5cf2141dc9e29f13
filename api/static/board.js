// The dispatch board by keyboard and by hand. Every step is a link or a form of the page: this only takes them without
// loading the page anew, keeps the focus, and lets cards be dragged. Without it the same links and forms work.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const main = document.getElementById("main");
  const say = document.getElementById("say");
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const picked = () => new URL(location.href).searchParams.has("pick");
  let came = null; // where the focus was when a card was picked
  let drag = null;
  let stale = false;
  let busy = false;
  let acted = 0; // when the person did something last, and how often: an answer to an earlier look is not shown
  let turn = 0;

  const tell = (words) => { say.textContent = ""; requestAnimationFrame(() => { say.textContent = words; }); };
  const byKey = (key) => key && all("[data-key]").find((each) => each.dataset.key === key);
  const held = () => document.activeElement?.closest?.("[data-key]")?.dataset.key;

  // ---- Taking a fresh page's parts -------------------------------------------------------------------------------
  const show = (text, keep) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const before = new Set(all("[data-key]").map((each) => each.dataset.key));
    for (const part of all("[data-part]")) {
      const next = $(`[data-part="${part.dataset.part}"]`, fresh);
      if (next) {
        const tops = all(".bd-board, .bd-cards", part).map((each) => each.scrollTop);
        part.replaceWith(document.adoptNode(next));
        all(".bd-board, .bd-cards", next).forEach((each, i) => { each.scrollTop = tops[i] ?? 0; });
      }
    }
    document.title = fresh.title;
    for (const each of all("[data-key]")) if (!before.has(each.dataset.key) && /^[bc]/.test(each.dataset.key)) each.classList.add("is-new");
    begin();
    byKey(keep)?.focus({ preventScroll: false });
  };

  const go = async (address, options, then) => {
    if (busy) return;
    busy = true;
    acted = Date.now();
    turn += 1;
    main.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...options });
      const type = answer.headers.get("content-type") || "";
      if (!answer.ok || !type.startsWith("text/html")) throw new Error(String(answer.status));
      const text = await answer.text();
      if (new URL(answer.url).pathname.startsWith("/login")) { location.assign(answer.url); return; }
      if (!text.includes('data-part="page"')) { location.assign(answer.url); return; }
      const keep = held();
      if (answer.url !== location.href) history.pushState(null, "", answer.url);
      stale = false;
      show(text, keep);
      then?.();
    } catch {
      tell(main.dataset.saidFailed);
    } finally {
      busy = false;
      main.removeAttribute("aria-busy");
    }
  };

  // After a step: where the eye should be.
  const settle = () => {
    const problem = $(".bd-said");
    const target = $(".bd-target");
    if (target) { ($("[name=reason]", main) || $(".btn-primary", target.closest(".bd-plate")))?.focus(); tell(target.innerText); return; }
    if (picked()) {
      const free = $(".slot.is-free") || $(".slot");
      (free || byKey("go"))?.focus();
      tell(problem ? problem.innerText : `${$("#plate-h")?.innerText}. ${main.dataset.saidPicked}`);
      return;
    }
    (byKey(came) || $("[data-card]") || byKey("go"))?.focus();
    came = null;
    const done = $(".bd-placed");
    tell(problem ? problem.innerText : done ? `${done.innerText}. ${$("[data-go=U]")?.innerText}` : "");
  };

  const submit = (form, button) => {
    const data = new FormData(form, button || undefined);
    const values = new URLSearchParams([...data].map(([name, value]) => [name, String(value)]));
    if ((form.getAttribute("method") || "get").toLowerCase() === "get") return go(`${form.action}?${values}`, {}, null);
    return go(form.action, { method: "POST", body: values }, settle);
  };

  main.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-soft")) return;
    event.preventDefault();
    submit(form, event.submitter);
  });

  main.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (drag?.moved) { event.preventDefault(); return; }
    const to = new URL(link.href);
    if (to.pathname !== "/board" || location.pathname !== "/board") return;
    event.preventDefault();
    if (link.dataset.ref) came = link.dataset.key;
    const cancels = link.dataset.go === "Escape";
    go(link.href, {}, () => { if (cancels) { settle(); tell(main.dataset.saidCancelled); } else if (picked()) settle(); });
  });
  main.classList.add("has-script");
  main.addEventListener("change", (event) => {
    const form = event.target.closest(".bd-filters");
    if (form && (event.target.type !== "date" || event.target.value)) form.requestSubmit();
  });
  addEventListener("popstate", () => go(location.href, {}, null));

  // ---- Keys -------------------------------------------------------------------------------------------------------
  const letters = () => localStorage.getItem("wk-keys") !== "off";
  const press = (name) => {
    const found = all(`[data-go="${name}"]`).find((each) => each.offsetParent !== null);
    found?.click();
    return Boolean(found);
  };
  const step = (list, way) => {
    const at = list.indexOf(document.activeElement);
    const next = list[at < 0 ? (way > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + way, 0), list.length - 1)];
    next?.focus();
  };
  // Windows of a technician side by side, technicians one below the other; blocks alike.
  const arrow = (key, selector) => {
    const lanes = all(".lane").filter((lane) => $(selector, lane));
    const here = document.activeElement?.closest(selector);
    const lane = here?.closest(".lane");
    if (!here || !lane) { $(selector, lanes[0] || main)?.focus(); return; }
    const row = all(selector, lane);
    if (key === "ArrowLeft" || key === "ArrowRight") { step(row, key === "ArrowRight" ? 1 : -1); return; }
    const next = lanes[lanes.indexOf(lane) + (key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    const x = here.getBoundingClientRect().left;
    all(selector, next).reduce((a, b) => (Math.abs(b.getBoundingClientRect().left - x) < Math.abs(a.getBoundingClientRect().left - x) ? b : a)).focus();
  };
  const lockFocused = () => {
    const here = document.activeElement?.closest("[data-visit]");
    if (!here) return press("L");
    const csrf = $("input[name=csrf]")?.value || "";
    const on = here.hasAttribute("data-locked") ? "no" : "yes";
    const back = location.search.slice(1);
    const body = new URLSearchParams({ csrf, visit: here.dataset.visit, on, back });
    came = here.dataset.key;
    go("/board/lock", { method: "POST", body }, settle);
    return true;
  };
  const decide = (which) => {
    const row = document.activeElement?.closest("[data-line]");
    const button = row && $(`[data-do="${which}"]`, row);
    if (!button) return false;
    came = row.dataset.key;
    button.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input:not([type=radio]):not([type=checkbox]), select, textarea, dialog[open]");
    if (event.key === "Escape" && drag) { endDrag(); return; }
    if (event.key === "Escape" && !$("dialog[open]")) { if (press("Escape")) event.preventDefault(); return; }
    if (field || !main) return;
    let done = true;
    if (event.key.startsWith("Arrow") && $(".lane") && !event.target.matches("input[type=radio]")) {
      if (!document.activeElement?.closest(".lane, body:not(:focus-within)") && document.activeElement !== document.body && !picked()) return;
      arrow(event.key, picked() && $(".slot") ? ".slot" : "a.bk");
    } else if (!letters() || event.repeat) return;
    else if (event.key === "?") keys();
    else if (/^[jk]$/i.test(event.key)) step(all($("[data-card]") ? "[data-card]" : "[data-line]"), event.key.toLowerCase() === "j" ? 1 : -1);
    else if (/^[123]$/.test(event.key)) done = press(event.key);
    else if (event.key === "A" && event.shiftKey) done = press("Shift+A");
    else if (/^a$/i.test(event.key)) done = decide("A");
    else if (/^x$/i.test(event.key)) done = decide("X");
    else if (/^l$/i.test(event.key)) done = lockFocused();
    else if (/^g$/i.test(event.key)) { done = Boolean($("a.bk")); $("a.bk")?.focus(); }
    else if (/^[btnups]$/i.test(event.key)) done = press(event.key.toUpperCase());
    else done = false;
    if (done) event.preventDefault();
  });

  const dialog = document.getElementById("keys");
  const keys = () => { if (dialog && !dialog.open) dialog.showModal(); };
  const toggle = document.getElementById("keys-on");
  if (toggle) {
    toggle.checked = letters();
    toggle.addEventListener("change", () => localStorage.setItem("wk-keys", toggle.checked ? "on" : "off"));
  }

  // ---- By hand ----------------------------------------------------------------------------------------------------
  const windows = (track) => {
    const columns = Number(/(?:^| )h(\d+)/.exec(track.className)?.[1] || 72);
    return { columns, of: main.querySelector("[data-windows]") };
  };
  const ghost = document.createElement("span");
  const over = (event) => {
    const track = document.elementsFromPoint(event.clientX, event.clientY).map((each) => each.closest?.(".lane .track")).find(Boolean);
    const list = JSON.parse($("[data-windows]")?.dataset.windows || "[]");
    if (!track || !list.length) return null;
    const box = track.getBoundingClientRect();
    const column = ((event.clientX - box.left) / box.width) * windows(track).columns;
    const found = list.find(([, x, w]) => column >= x && column < x + w) || list.reduce((a, b) => (Math.abs(b[1] - column) < Math.abs(a[1] - column) ? b : a));
    return { track, start: found[0], x: found[1], w: found[2], who: track.closest(".lane").dataset.who };
  };
  const endDrag = () => {
    drag?.card.classList.remove("is-dragged");
    ghost.remove();
    const moved = drag?.moved;
    drag = null;
    if (stale) later();
    return moved;
  };
  main.addEventListener("pointerdown", (event) => {
    const card = event.target.closest("[data-movable]");
    if (card && event.button === 0 && event.pointerType !== "touch") drag = { card, x: event.clientX, y: event.clientY, moved: false, at: null };
  });
  main.addEventListener("dragstart", (event) => { if (event.target.closest("[data-movable]")) event.preventDefault(); });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 6) return;
    drag.moved = true;
    drag.card.classList.add("is-dragged");
    drag.at = over(event);
    ghost.remove();
    if (drag.at) { ghost.className = `drop x${drag.at.x} w${drag.at.w}`; drag.at.track.append(ghost); }
  });
  addEventListener("pointerup", () => {
    if (!drag) return;
    const { card, at, moved } = drag;
    if (!moved) { drag = null; return; }
    setTimeout(endDrag, 0); // the click that follows is none
    if (!at) return;
    const csrf = $("input[name=csrf]")?.value || "";
    came = card.dataset.key;
    const body = new URLSearchParams({ csrf, ticket: card.dataset.ref, seen: card.dataset.seen, to: `${at.who}|${at.start}`, back: location.search.slice(1) });
    go("/board/assign", { method: "POST", body }, settle);
  });

  // ---- What others do ---------------------------------------------------------------------------------------------
  const typing = () => drag || busy || picked() || document.activeElement?.closest("input, select, textarea") || dialog?.open;
  const later = () => {
    if (typing()) {
      if (!stale && picked()) tell(main.dataset.saidBusy);
      stale = true;
      return;
    }
    stale = false;
    const address = new URL(location.href);
    // What was answered to the last step stays for a while, whatever others do.
    const lately = Date.now() - acted < 20_000;
    if (!lately) address.searchParams.delete("problem");
    const mine = turn;
    fetch(address, { credentials: "same-origin" }).then(async (answer) => {
      const text = answer.ok && !answer.redirected ? await answer.text() : "";
      if (!text) return;
      if (mine !== turn || typing()) { stale = true; soon(); return; }
      show(text, held());
      if (!lately) tell(main.dataset.saidFresh);
    }).catch(() => { stale = true; });
  };
  let waiting = 0;
  const soon = () => { waiting ||= setTimeout(() => { waiting = 0; later(); }, 300); };
  main.addEventListener("focusout", () => { if (stale) soon(); });
  let source = null;
  const open = () => {
    if (!main.dataset.feed || typeof EventSource !== "function") return;
    source = new EventSource(main.dataset.feed);
    for (const name of ["ticket", "visit", "reset"]) source.addEventListener(name, soon);
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else if (!source) { open(); soon(); } });
  addEventListener("pagehide", close);
  if (!document.hidden) open();

  // ---- A plan that is being made ----------------------------------------------------------------------------------
  let asked = 0;
  const look = () => {
    if (!$("[data-coming]")) return;
    setTimeout(async () => {
      asked += 1;
      const late = $(".pl-late");
      if (late && asked > 5) late.hidden = false;
      const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
      const text = answer?.ok ? await answer.text() : "";
      if (text && !text.includes("data-coming")) location.reload();
      else look();
    }, 500);
  };
  look();

  // ---- The seconds in which a move can be taken back --------------------------------------------------------------
  let clock = 0;
  function begin() {
    clearInterval(clock);
    const help = document.getElementById("keys-open");
    if (help) { help.hidden = false; help.onclick = keys; }
    const form = $("[data-undo]");
    if (!form) return;
    let left = Number(form.dataset.undo);
    const shown = $(".bd-left", form);
    clock = setInterval(() => {
      left -= 1;
      if (left <= 0) { clearInterval(clock); const had = form.contains(document.activeElement); form.remove(); if (had) $("[data-card], .btn-primary")?.focus(); return; }
      shown.textContent = shown.dataset.left.replace("#", left);
    }, 1000);
  }
  begin();
});
