// All pictures as points; a line drawn around some of them selects them.

import { colour, complain, h, percent, thumb } from "./elements.js";
import { get } from "./server.js";

const SIZE = 65535;

let page, root, canvas, points, classes, show, view, lasso, hover, round;

export async function enter(main, shared) {
  page = shared;
  root = main;
  show ??= "guess";
  view = { x: 0, y: 0, scale: 1 };
  lasso = [];
  if (!page.status.has_map) {
    root.append(h("p", { class: "soft" }, page.status.wants_map
      ? "The map is still being drawn; it takes a minute or two, and you can label meanwhile."
      : "The pipeline has no stage that makes a map: add one of kind tsne."));
    return;
  }
  const choice = (name, text) => h("label", {}, h("input", {
    type: "radio", name: "show", value: name, checked: show === name, onchange: () => { show = name; legend(); draw(); },
  }), ` ${text}`);
  canvas = h("canvas", { class: "map", role: "img", "aria-label": "Map of all pictures; pictures that are alike lie near each other. Without a pointer, use the groups under Many at once." });
  hover = h("div", { class: "hover", hidden: true });
  root.append(
    h("div", { class: "bar" }, h("h2", {}, "Map"), h("fieldset", {}, h("legend", { class: "unseen" }, "Colour by"),
      choice("label", "label"), choice("guess", "guess"), choice("sure", "confidence"))),
    h("p", { class: "soft small" }, "Draw around points to select them. The wheel zooms, Shift and drag moves, a double click shows all."),
    h("div", { class: "map-frame" }, canvas, hover), h("ul", { class: "legend", id: "legend" }));
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", look);
  canvas.addEventListener("pointerleave", () => { hover.hidden = true; });
  canvas.addEventListener("wheel", zoom, { passive: false });
  canvas.addEventListener("dblclick", () => { view = { x: 0, y: 0, scale: 1 }; draw(); });
  window.addEventListener("resize", draw);
  try {
    points ??= await get("/api/map");
    await colours();
  } catch (error) {
    complain(error);
  }
}

export function leave() {
  root = null;
  window.removeEventListener("resize", draw);
}

export function changed(status) {
  if (!canvas?.isConnected) {
    if (status.has_map && root) {
      root.replaceChildren();
      enter(root, page);
    }
  } else if (status.round !== round) {
    round = status.round;
    colours().catch(complain);
  }
}

async function colours() {
  classes = await get("/api/map/classes");
  if (!root) return;
  legend();
  draw();
}

function legend() {
  const element = document.getElementById("legend");
  if (!element || !classes) return;
  const dot = (value, text) => h("li", {}, h("i", { class: "dot", "--dot": value }), text);
  const named = classes.classes.map((name, at) => dot(colour(at), name));
  const rest = { label: "no label", guess: "no guess", sure: "" }[show];
  element.replaceChildren(...(show === "sure"
    ? [dot("var(--warm)", "unsure"), dot("var(--cool)", "sure")]
    : [...named, dot("var(--faint)", rest)]));
}

/** Where a point is on the canvas, in CSS pixels. */
function place(at, side) {
  return [(points.x[at] / SIZE * side - view.x) * view.scale, (points.y[at] / SIZE * side - view.y) * view.scale];
}

function draw() {
  if (!root || !classes || !canvas?.isConnected) return;
  const side = canvas.clientWidth;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.height = side * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const value = (name) => style.getPropertyValue(name).trim();
  const palette = Array.from({ length: 10 }, (_, at) => value(`--c${at}`));
  const [faint, ink, warm, cool] = [value("--faint"), value("--ink"), value("--warm"), value("--cool")];
  const radius = Math.min(Math.max(side / Math.sqrt(points.x.length) / 7, 1.2), 4) * Math.sqrt(view.scale);
  const of = show === "label" ? classes.given : classes.guessed;
  for (let at = 0; at < points.x.length; at += 1) {
    const [x, y] = place(at, side);
    if (x < -9 || y < -9 || x > side + 9 || y > side + 9) continue;
    const known = of[at] >= 0;
    pen.globalAlpha = known || show === "sure" ? 0.75 : 0.4;
    if (show === "sure") pen.fillStyle = classes.given[at] >= 0 || classes.sure[at] >= 80 ? cool : classes.sure[at] ? warm : faint;
    else pen.fillStyle = known ? palette[of[at] % 10] : faint;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    if (classes.given[at] >= 0 && show !== "label") {
      pen.globalAlpha = 1;
      pen.strokeStyle = ink;
      pen.lineWidth = 1;
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
  if (lasso.length > 1) {
    pen.strokeStyle = ink;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    lasso.forEach(([x, y]) => pen.lineTo(x, y));
    pen.stroke();
  }
}

const spot = (event) => [event.offsetX, event.offsetY];

function begin(event) {
  if (event.button !== 0 || !points) return;
  canvas.setPointerCapture(event.pointerId);
  const moves = event.shiftKey;
  let last = spot(event);
  lasso = moves ? [] : [last];
  hover.hidden = true;
  const move = (now) => {
    const to = spot(now);
    if (moves) {
      view.x -= (to[0] - last[0]) / view.scale;
      view.y -= (to[1] - last[1]) / view.scale;
      last = to;
    } else {
      lasso.push(to);
    }
    draw();
  };
  const up = () => {
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
    const side = canvas.clientWidth;
    // The line itself goes to the program, which decides what is inside.
    const polygon = lasso.map(([x, y]) => [(x / view.scale + view.x) / side * SIZE, (y / view.scale + view.y) / side * SIZE]);
    lasso = [];
    draw();
    if (polygon.length > 8) page.grid({ by: "lasso", polygon }, "Selected on the map");
  };
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
}

function look(event) {
  if (event.buttons || !points || !classes) return;
  const side = canvas.clientWidth;
  const [x, y] = spot(event);
  let best = -1;
  let least = 100;
  for (let at = 0; at < points.x.length; at += 1) {
    const [px, py] = place(at, side);
    const far = (px - x) ** 2 + (py - y) ** 2;
    if (far < least) [best, least] = [at, far];
  }
  hover.hidden = best < 0;
  if (best < 0 || hover.dataset.at === String(best)) return;
  hover.dataset.at = best;
  const given = classes.classes[classes.given[best]];
  const guessed = classes.classes[classes.guessed[best]];
  const text = given ?? (guessed ? `${guessed} ${percent(classes.sure[best] / 100)}` : "no guess");
  hover.replaceChildren(h("img", { src: thumb(points.place[best]), alt: "" }), h("span", {}, text));
  const [px, py] = place(best, side);
  hover.style.left = `${Math.min(px + 12, side - 150)}px`;
  hover.style.top = `${Math.min(py + 12, side - 170)}px`;
}

function zoom(event) {
  event.preventDefault();
  const [x, y] = spot(event);
  const scale = Math.min(Math.max(view.scale * Math.exp(-event.deltaY / 400), 1), 40);
  view.x += x / view.scale - x / scale;
  view.y += y / view.scale - y / scale;
  view.scale = scale;
  if (scale === 1) view = { x: 0, y: 0, scale };
  draw();
}

export const key = () => false;
