// One picture at a time.

import { cap, complain, h, percent, say } from "./elements.js";
import { get, post } from "./server.js";

/** Milliseconds from a key to the picture that it brought, for whoever measures. */
window.keyToPicture = [];

let page, root, figure, guessLine, answers, state, form;
let wanted = null;

/** Opens this picture when the mode is next shown. */
export function wants(place) {
  wanted = place;
}

/** Pictures that are fetched and decoded before they are asked for. */
const pictures = new Map();
function fetched(place) {
  if (!pictures.has(place)) {
    const image = h("img", { src: `/picture/${place}/display`, draggable: "false", decoding: "sync" });
    pictures.set(place, image);
    image.decode().catch(() => {});
    if (pictures.size > 40) pictures.delete(pictures.keys().next().value);
  }
  return pictures.get(place);
}

export async function enter(main, shared) {
  page = shared;
  root = main;
  // `seen` are pictures that the arrows go through; the last one is the one in question.
  state ??= { seen: [], at: -1, coming: [], busy: false };
  figure = h("figure", { class: "stage", id: "stage" });
  guessLine = h("p", { class: "guess", id: "guess" });
  answers = h("div", { class: "answers", role: "group", "aria-label": "Classes" });
  form = newClass();
  root.append(figure, guessLine, answers, form, actions());
  if (wanted !== null) {
    const item = await get(`/api/item/${wanted}`);
    wanted = null;
    visit(item);
  } else if (state.at < 0 || state.seen[state.at].decision) {
    await more();
  } else {
    draw();
  }
}

export function leave() {
  root = null;
}

/** News: guesses and counts may be others, the picture stays. */
export async function changed(status) {
  if (!root) return;
  const item = state.seen[state.at];
  if (!item) return more();
  if (status.round !== state.round) {
    state.round = status.round;
    try {
      Object.assign(item, await get(`/api/item/${item.place}`));
    } catch {
      return;
    }
    if (!root) return;
  }
  words();
}

function actions() {
  const button = (key, text, act) => h("button", { type: "button", class: "plain", onclick: act }, cap(key), ` ${text}`);
  return h("div", { class: "actions" },
    button("Enter", "accept", accept),
    button("u", "unsure", () => decide("unsure")),
    button("x", "unusable", () => decide("unusable")),
    button("n", "new class", ask),
    button("z", "undo", undo),
    button("←", "back", back),
    button("→", "skip", forth),
    button("Space", "zoom", zoom),
  );
}

function newClass() {
  const input = h("input", { id: "new-class", autocomplete: "off", maxlength: 80, spellcheck: "false" });
  const submit = (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) return;
    input.value = "";
    input.blur();
    decide("label", name);
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      input.blur();
    }
  });
  return h("form", { class: "new-class", onsubmit: submit },
    h("label", { for: "new-class" }, "New class"), input, h("button", { type: "submit" }, "Label with it"));
}

function ask() {
  form.querySelector("input").focus();
}

/** What comes next, as the program says. */
async function more() {
  try {
    take((await post("/api/next", { keep: state.coming.map((item) => item.place) })).next);
    complain(null);
  } catch (error) {
    complain(error);
  }
}

function take(next, show = true) {
  state.coming = next;
  next.forEach((item) => fetched(item.place));
  if (show && next.length > 0) visit(state.coming.shift());
  else if (show) {
    state.at = -1;
    draw();
  }
}

function visit(item) {
  state.seen = state.seen.filter((seen) => seen.place !== item.place).slice(-200);
  state.seen.push(item);
  state.at = state.seen.length - 1;
  draw();
}

function draw() {
  if (!root) return;
  const item = state.seen[state.at];
  figure.classList.remove("zoomed");
  if (!item) {
    figure.replaceChildren(h("p", { class: "soft" }, "Every picture has a label. Look through them under “Correct”."));
    guessLine.replaceChildren();
    answers.replaceChildren();
    return;
  }
  const image = fetched(item.place);
  image.alt = `Picture ${item.name}`;
  image.onerror = () => complain(new Error(`${item.name} cannot be shown: label it X, unusable`));
  image.onclick = zoom;
  figure.replaceChildren(image);
  words();
  say(`${item.name}. ${guessLine.textContent}`);
}

/** The guess and the classes. */
function words() {
  const item = state.seen[state.at];
  if (!item || !root) return;
  const { classes } = page.status;
  const given = item.decision;
  const is = given && (given.is === "label" ? given.class : given.is);
  if (given) {
    guessLine.replaceChildren("You said ", h("strong", {}, is), h("span", { class: "soft" }, " · another key changes it"));
  } else if (item.audit) {
    guessLine.replaceChildren(h("span", { class: "badge" }, "audit"),
      h("span", { class: "soft" }, " drawn at random; no guess is shown, and nothing learns from it"));
  } else if (item.guess) {
    guessLine.replaceChildren("Looks like ", h("strong", {}, item.guess.class), ` ${percent(item.guess.probability)}`,
      h("span", { class: "soft" }, " · ", cap("Enter"), " accepts"));
  } else {
    const text = classes.length ? "Which class is it?" : "What is it? Name its class below.";
    guessLine.replaceChildren(h("span", { class: "soft" }, text));
  }
  const chance = new Map(item.ranking.map((guess) => [guess.class, guess.probability]));
  answers.replaceChildren(...classes.map(({ name, key }) => h("button", {
    type: "button",
    class: name === is ? "answer given" : name === item.guess?.class ? "answer guessed" : "answer",
    "--share": chance.get(name) ?? 0,
    "aria-keyshortcuts": key,
    onclick: () => decide("label", name),
  }, key ? cap(key) : "", h("span", {}, name))));
  form.classList.toggle("first", classes.length === 0);
}

async function decide(what, name = null, since = performance.now()) {
  const item = state.seen[state.at];
  if (!item || state.busy) return;
  state.busy = true;
  const guess = item.audit ? null : item.guess;
  try {
    const { next } = await post("/api/decide", {
      images: [item.place], what, class: name, mode: "one",
      guess: guess?.probability, guessed: guess?.class,
      keep: state.coming.map((coming) => coming.place),
    });
    complain(null);
    item.decision = what === "label" ? { is: "label", class: name } : { is: what };
    // Someone who went back goes forth again through what they saw.
    if (state.at < state.seen.length - 1) {
      state.at += 1;
      take(next, false);
      draw();
    } else {
      take(next);
    }
    requestAnimationFrame(() => window.keyToPicture.push(performance.now() - since));
    if (!root) return;
    say(`Kept: ${name ?? what}. ${guessLine.textContent}`);
  } catch (error) {
    // Not kept: the picture stays, and the page says why.
    complain(error);
  } finally {
    state.busy = false;
  }
}

function accept() {
  const item = state.seen[state.at];
  if (item && !item.audit && item.guess && !item.decision) decide("label", item.guess.class);
}

async function undo() {
  const done = await page.undo();
  if (!done || !root) return;
  if (done.undone.length === 0) return say("There is nothing to undo");
  take(done.next, false);
  visit(done.undone[done.undone.length - 1]);
  say(`Taken back. ${guessLine.textContent}`);
}

function back() {
  if (state.at > 0) state.at -= 1;
  draw();
}

async function forth() {
  const item = state.seen[state.at];
  if (state.at < state.seen.length - 1) {
    state.at += 1;
    return draw();
  }
  if (!item) return;
  if (item.decision) return take(state.coming);
  const keep = state.coming.map((coming) => coming.place);
  try {
    take((await post("/api/skip", { place: item.place, keep })).next);
    complain(null);
  } catch (error) {
    complain(error);
  }
}

/** Full resolution, to be scrolled through. */
function zoom() {
  const item = state.seen[state.at];
  if (!item) return;
  if (figure.classList.toggle("zoomed")) {
    const full = h("img", { src: `/picture/${item.place}/full`, alt: `Picture ${item.name} at full size`, draggable: "false" });
    full.onclick = zoom;
    figure.replaceChildren(full);
    full.onload = () => {
      figure.scrollTo((full.width - figure.clientWidth) / 2, (full.height - figure.clientHeight) / 2);
    };
  } else {
    draw();
  }
}

export function key(event) {
  if (event.ctrlKey || event.metaKey) return false;
  const { key } = event;
  const onButton = event.target.closest?.("button, a, summary");
  if ((key === "Enter" || key === " ") && onButton) return false;
  const zoomed = figure.classList.contains("zoomed");
  if (zoomed && event.shiftKey && key.startsWith("Arrow")) {
    const by = { ArrowLeft: [-120, 0], ArrowRight: [120, 0], ArrowUp: [0, -120], ArrowDown: [0, 120] }[key];
    figure.scrollBy(...by);
    return true;
  }
  const since = event.timeStamp;
  const acts = {
    Enter: accept, u: () => decide("unsure", null, since), x: () => decide("unusable", null, since), n: ask,
    z: undo, Backspace: undo, ArrowLeft: back, ArrowRight: forth, " ": zoom,
    Escape: () => zoomed && zoom(),
  };
  const act = acts[key] ?? acts[key.toLowerCase()];
  if (act) {
    act();
    return true;
  }
  const known = page.classOf(key);
  if (known && !event.repeat) decide("label", known.name, since);
  return Boolean(known);
}
