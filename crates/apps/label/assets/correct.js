// Looking through what may be wrong.

import { cap, complain, h, percent, say, thumb } from "./elements.js";
import { get, post } from "./server.js";
import { Grid } from "./grid.js";

let page, root, shown, grid, rows, at;

export function enter(main, shared) {
  page = shared;
  root = main;
  shown ??= "guesses";
  const tabs = [["guesses", "Guesses, the least certain first"], ["labels", "Labels that may be wrong"]];
  root.append(h("div", { class: "tabs", role: "group", "aria-label": "What to look through" }, tabs.map(([name, text]) =>
    h("button", { type: "button", "aria-pressed": String(name === shown), onclick: () => {
      shown = name;
      root.replaceChildren();
      enter(root, page);
    } }, text))));
  grid = null;
  rows = [];
  if (shown === "guesses") {
    grid = new Grid(page, { by: "uncertain" }, "correct", "The least certain first");
    root.append(grid.element);
  } else {
    doubts();
  }
}

export function leave() {
  root = null;
}

export function changed() {
  grid?.draw();
}

async function doubts() {
  let found;
  try {
    found = await get("/api/doubts");
  } catch (error) {
    return complain(error);
  }
  if (!root) return;
  at = 0;
  rows = found.map(row);
  const list = h("ol", { class: "doubts" }, rows);
  const none = h("p", { class: "soft" }, "There are no labels to compare yet.");
  root.append(
    h("p", { class: "soft" }, "How well each label fits its nearest labelled neighbours, the worst first. A ranking and no verdict: nothing is changed but by you. ",
      cap("Enter"), " keeps a label, the key of a class changes it."),
    found.length ? list : none);
  rows[0]?.focus();
}

function row({ item, probability, duplicate, neighbours }, index) {
  const why = duplicate
    ? "The same picture, or nearly, has another label"
    : `Its neighbours give this label ${percent(probability)}`;
  return h("li", { tabindex: "0", "data-place": item.place, onfocus: () => { at = index; }, "aria-label": `${item.name}, labelled ${item.decision.class}. ${why}` },
    h("img", { src: thumb(item.place), alt: "", class: "large" }),
    h("div", {},
      h("p", {}, "Labelled ", h("strong", {}, item.decision.class), h("span", { class: "soft" }, ` by ${item.by}`)),
      h("p", { class: duplicate ? "wrong small" : "soft small" }, why),
      h("div", { class: "neighbours" }, neighbours.map((other) => h("figure", {},
        h("img", { src: thumb(other.place), alt: "" }), h("figcaption", {}, other.decision?.class ?? ""))))),
    h("div", { class: "answers compact" }, page.status.classes.map(({ name, key }) => h("button", {
      type: "button", class: name === item.decision.class ? "answer given" : "answer", onclick: () => relabel(index, name),
    }, key ? h("kbd", {}, key.toUpperCase()) : "", h("span", {}, name)))));
}

async function relabel(index, name) {
  const element = rows[index];
  try {
    await post("/api/decide", { images: [Number(element.dataset.place)], what: "label", class: name, mode: "correct" });
    complain(null);
    element.classList.add("done");
    element.querySelector("strong").textContent = name;
    say(`Kept: ${name}`);
    step(1);
  } catch (error) {
    complain(error);
  }
}

function step(by) {
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

export function key(event) {
  if (grid) return grid.key(event);
  if (event.ctrlKey || event.metaKey) return false;
  const { key } = event;
  if (key === "Enter" && event.target.closest?.("button")) return false;
  if (key === "ArrowDown" || key === "Enter") return step(1), true;
  if (key === "ArrowUp") return step(-1), true;
  if (key === "z" || key === "Backspace") {
    page.undo().then(() => { root?.replaceChildren(); if (root) enter(root, page); });
    return true;
  }
  const known = page.classOf(key);
  if (known && rows[at]) relabel(at, known.name);
  return Boolean(known);
}
