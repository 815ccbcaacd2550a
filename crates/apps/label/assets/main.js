// The frame: which way of labelling is shown, keys, news from the program.

import { complain, counted, h, number } from "./elements.js";
import { listen, post } from "./server.js";
import { side } from "./side.js";
import * as one from "./one.js";
import * as many from "./many.js";
import * as correct from "./correct.js";
import * as map from "./map.js";

const MODES = { one, many, correct, map };
const main = document.getElementById("main");

/** What all ways of labelling share. */
export const page = {
  status: null,
  /** The class that a key means. */
  classOf: (key) => page.status?.classes.find((known) => known.key === key.toLowerCase()) ?? null,
  /** Opens one picture, from anywhere. */
  open: (place) => {
    one.wants(place);
    if (location.hash === "#one" || location.hash === "") show();
    else location.hash = "#one";
  },
  /** Shows a grid in the mode `many`. */
  grid: (wanted, title) => {
    many.wants(wanted, title);
    if (location.hash === "#many") show();
    else location.hash = "#many";
  },
  async undo() {
    try {
      const { undone, next } = await post("/api/undo", {});
      complain(null);
      return { undone, next };
    } catch (error) {
      complain(error);
      return null;
    }
  },
};

let current = null;

function show() {
  const name = location.hash.slice(1) in MODES ? location.hash.slice(1) : "one";
  for (const link of document.querySelectorAll("#modes a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.mode = name;
  current?.leave?.();
  current = null;
  if (page.status?.phase !== "ready") return wait();
  main.replaceChildren();
  current = MODES[name];
  current.enter(main, page);
}

/** Before pictures can be labelled. */
function wait() {
  const { phase, progress, message, images } = page.status ?? {};
  if (phase === "failed") {
    main.replaceChildren(
      h("h2", {}, "It cannot go on"),
      h("p", { class: "note" }, message),
      h("p", { class: "soft" }, "Mend it, then start `scarce label` again. Whatever was labelled is kept."),
    );
    return;
  }
  const share = progress && progress.total > 0 ? progress.done / progress.total : null;
  const words = progress?.total
    ? `${progress.stage}: ${number(progress.done)} of ${counted(progress.total, "", progress.unit)}`
    : progress ? `${progress.stage} …` : "Looking at the pictures …";
  const bar = h("progress", { max: 1, "aria-label": "How far the pictures are encoded" });
  if (share !== null) bar.value = share;
  main.replaceChildren(
    h("div", { class: "waiting" },
      h("h2", {}, "The pictures are being encoded"),
      h("p", {}, "A pretrained network looks at each of them once. The next time they are ready at once."),
      bar,
      h("p", { class: "soft small" }, words, images ? ` · ${counted(images, "picture")}` : ""),
    ),
  );
}

function line(status) {
  const parts = [
    status.learnt || status.audited ? counted(status.learnt + status.audited, "label") : null,
    status.pace ? `${Math.round(status.pace)} a minute` : null,
    status.phase === "ready" && status.learning ? "learning …" : null,
  ];
  document.getElementById("line").textContent = parts.filter(Boolean).join(" · ");
}

function changed(status) {
  const before = page.status?.phase;
  page.status = status;
  line(status);
  side(document.getElementById("side"), page);
  if (before !== status.phase) show();
  else if (status.phase === "preparing") wait();
  else current?.changed?.(status);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (typing || event.ctrlKey && event.key !== "a" || event.metaKey && event.key !== "a" || event.altKey) return;
  if (current?.key?.(event)) event.preventDefault();
});
window.addEventListener("hashchange", show);

listen(changed, () => complain(Object.assign(new Error("The program that serves this page has ended"), {
  help: "What was labelled is kept. Start `scarce label` again to go on",
})), () => complain(null));
