// What stands beside the pictures: classes, pace, how good the guesses are, when to stop.

import { complain, counted, h, number, percent, thumb } from "./elements.js";
import { post } from "./server.js";

let changing = null;
let opened = true;

export function side(element, page) {
  const { status } = page;
  if (status.phase !== "ready") return element.replaceChildren();
  // A key that is being changed is not taken from under the person's hand.
  if (changing) return;
  const narrow = window.matchMedia("(max-width: 60rem)").matches;
  const all = [classes(page), quality(status), pace(status), latest(page), notices(status)].filter(Boolean);
  if (!narrow) return element.replaceChildren(...all);
  const old = element.querySelector("details.all");
  opened = old ? old.open : false;
  element.replaceChildren(h("details", { class: "all", open: opened }, h("summary", {}, "Classes, accuracy, pace"), ...all));
}

function classes(page) {
  const { classes: known } = page.status;
  if (known.length === 0) return null;
  const most = Math.max(...known.map(({ labels }) => labels), 1);
  const row = ({ name, key, labels, guessed }, at) => h("tr", {},
    h("th", { scope: "row" }, h("i", { class: "dot", "--dot": `var(--c${at % 10})` }), name),
    h("td", {}, keyButton(page, name, key)),
    h("td", { class: "num" }, h("span", { class: "meter", "--share": labels / most }), labels === 0 ? h("span", { class: "wrong" }, "0") : number(labels)),
    h("td", { class: "num soft" }, guessed ? number(guessed) : "–"));
  return h("section", {}, h("h2", {}, "Classes"), h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Class"), h("th", { scope: "col" }, "Key"), h("th", { scope: "col", class: "num" }, "Labels"), h("th", { scope: "col", class: "num" }, "Guessed"))),
    h("tbody", {}, known.map(row))));
}

/** The key of a class; a click, then another key, changes it. */
function keyButton(page, name, key) {
  const button = h("button", { type: "button", class: "key", title: "Change the key", "aria-label": `Key of ${name}: ${key ?? "none"}. Change it` }, key?.toUpperCase() ?? "…");
  button.addEventListener("click", () => {
    changing = name;
    button.textContent = "?";
    const done = () => {
      button.removeEventListener("keydown", pressed);
      button.removeEventListener("blur", done);
      changing = null;
      side(document.getElementById("side"), page);
    };
    const pressed = async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (event.key !== "Escape" && event.key !== "Tab") {
        try {
          page.status = await post("/api/class", { name, key: event.key.length === 1 ? event.key : "?" });
          complain(null);
        } catch (error) {
          complain(error);
        }
      }
      done();
    };
    button.addEventListener("keydown", pressed);
    button.addEventListener("blur", done);
  });
  return button;
}

/** Two lights, and no verdict. */
function quality({ audit, kappas, audited, learnt, round, classes: known }) {
  const light = (good, ...text) => h("li", { class: good ? "light good" : "light" }, h("span", { class: "unseen" }, good ? "Good: " : "Not yet: "), ...text);
  const empty = known.filter(({ labels }) => labels === 0).map(({ name }) => name);
  const right = audit
    ? [h("strong", {}, percent(audit.share)), ` of guesses are right, between ${percent(audit.low)} and ${percent(audit.high)}`,
      h("span", { class: "soft small block" }, `${audit.right} of ${audit.total} audited; ${counted(audit.more_to_halve, "more audit")} would halve the interval`)]
    : ["Accuracy is not known yet", h("span", { class: "soft small block" }, learnt < 20
      ? "After twenty labels some pictures, drawn at random, audit the guesses"
      : audited ? "The model has not looked at the audited pictures yet" : "Audit pictures come now, among the others")];
  const steady = kappas.length
    ? [h("strong", {}, kappas.map((kappa) => kappa.toFixed(2)).join(", ")), " agreement of the last rounds",
      h("span", { class: "soft small block" }, "Cohen’s kappa of guesses before and after ten more labels; near 1, more labels change little")]
    : ["Whether guesses are steady is not known yet", h("span", { class: "soft small block" }, round ? "It takes two rounds of ten labels" : "The first guesses come with ten labels")];
  return h("section", {}, h("h2", {}, "How good, and when to stop"), h("ul", { class: "lights" },
    light(audit && audit.high - audit.low < 0.15, ...right),
    light(kappas.length > 2 && Math.min(...kappas) > 0.95, ...steady)),
  empty.length ? h("p", { class: "small wrong" }, `Without a label: ${empty.join(", ")}`) : null,
  h("p", { class: "small soft" }, "Pictures that are asked for are no random sample: how often their guesses were right says nothing about the others. Only the audit does."));
}

function pace(status) {
  const { pace: fast, spent, images, learnt, audited, unsure, unusable, skipped, learnt_in: seconds, round } = status;
  const done = learnt + audited;
  const minutes = spent < 90 ? counted(Math.round(spent), "second") : counted(Math.round(spent / 60), "minute");
  const facts = [
    `${counted(done, "label")} of ${counted(images, "picture")}${audited ? `, ${number(audited)} of them audits` : ""}`,
    fast ? `${fast.toFixed(0)} a minute · ${minutes} spent` : null,
    unsure || unusable || skipped ? [unsure && `${number(unsure)} unsure`, unusable && `${number(unusable)} unusable`, skipped && `${number(skipped)} skipped for now`].filter(Boolean).join(" · ") : null,
    round ? `Guesses of round ${round}, learnt in ${seconds.toFixed(1)} s` : null,
  ];
  const bar = h("progress", { max: Math.max(images, 1), "aria-label": "Pictures labelled" });
  bar.value = done;
  const agreement = status.agreement.map(({ one, other, both, same, kappa }) =>
    h("p", { class: "small soft" }, `${one} and ${other} agree on ${same} of ${both}${kappa === null ? "" : ` (kappa ${kappa.toFixed(2)})`}`));
  return h("section", {}, h("h2", {}, "So far"), bar, facts.filter(Boolean).map((text) => h("p", { class: "small soft" }, text)), agreement);
}

function latest(page) {
  const items = page.status.latest.map(({ place, name, ...decision }) => h("li", {}, h("button", {
    type: "button", title: name, onclick: () => page.open(place), "aria-label": `Reopen ${name}, ${decision.class ?? decision.is}`,
  }, h("img", { src: thumb(place), alt: "", loading: "lazy" }), h("span", {}, decision.class ?? decision.is))));
  return items.length ? h("section", {}, h("h2", {}, "Last decisions"), h("ul", { class: "latest" }, items)) : null;
}

const notices = ({ notices: texts }) => (texts.length ? h("section", { class: "note small" }, texts.map((text) => h("p", {}, text))) : null);
