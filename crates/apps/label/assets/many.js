// Many pictures at once: those that are taken for one class, or a group of pictures that are alike.

import { complain, counted, h, number, thumb } from "./elements.js";
import { get } from "./server.js";
import { Grid } from "./grid.js";

let page, root, grid, choices;
let wanted = null;

/** Shows this when the mode is next shown: a selection on the map, pictures like another. */
export function wants(what, title) {
  wanted = { what, title };
}

export async function enter(main, shared) {
  page = shared;
  root = main;
  grid = null;
  choices = h("div", { class: "choices" });
  root.append(choices);
  if (wanted) {
    const { what, title } = wanted;
    wanted = null;
    open(what, title);
  }
  await list();
}

export function leave() {
  root = null;
}

export function changed(status) {
  if (status.round !== page.shownRound && !grid?.chosen.size) {
    page.shownRound = status.round;
    list();
  }
  grid?.draw();
}

function open(what, title) {
  grid = new Grid(page, what, what.by === "lasso" ? "map" : "many", title);
  grid.title = title;
  root.querySelector(".gridded")?.remove();
  root.append(grid.element);
  for (const button of choices.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.title === title));
  }
}

/** What there is to choose from. */
async function list() {
  let groups = [];
  try {
    groups = await get("/api/groups");
  } catch (error) {
    complain(error);
  }
  if (!root) return;
  const chip = (what, name, title, count, ...inside) => h("button", {
    type: "button", class: "chip", "data-title": title, "aria-pressed": String(title === grid?.title), onclick: () => open(what, title),
  }, ...inside, h("span", {}, name), h("span", { class: "soft" }, number(count)));
  const guessed = page.status.classes.filter(({ guessed }) => guessed > 0)
    .map(({ name, guessed }) => chip({ by: "class", class: name }, name, `Taken for ${name}`, guessed));
  const given = page.status.classes.filter(({ labels }) => labels > 0)
    .map(({ name, labels }) => chip({ by: "given", class: name }, name, `Labelled ${name}`, labels));
  const alike = groups.map(({ group, open: left, places, guess }) => chip({ by: "group", group },
    guess ? `mostly ${guess}` : `group ${group + 1}`, `Group ${group + 1}${guess ? `, mostly ${guess}` : ""}`, left,
    h("span", { class: "strip" }, places.slice(0, 3).map((place) => h("img", { src: thumb(place), alt: "" })))));
  if (page.status.unsure) given.push(chip({ by: "unsure" }, "unsure", "Unsure", page.status.unsure));
  const part = (title, chips, more = false) => (chips.length === 0 ? null : h("details", { open: !more },
    h("summary", {}, title, h("span", { class: "soft small" }, ` ${counted(chips.length, "choice")}`)), h("div", { class: "chips" }, chips)));
  const nothing = h("p", { class: "soft" }, page.status.has_groups || page.status.round
    ? "Nothing is left to label."
    : "Groups are still being made; with ten labels, guesses come too.");
  const parts = [
    part("By what they are taken for", guessed),
    part("By likeness", alike, guessed.length > 0),
    part("Labelled already", given, true),
  ].filter(Boolean);
  const opened = grid?.element;
  choices.replaceChildren(...(parts.length ? parts : [nothing]));
  if (!opened && guessed.length) guessed[0].click();
  else if (!opened && alike.length) alike[0].click();
}

export const key = (event) => grid?.key(event) ?? false;
