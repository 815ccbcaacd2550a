// Elements without a framework.

/** An element: `h("p", { class: "soft", onclick: f }, "text", child)`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A key, as it looks on a keyboard. */
export const cap = (key) => h("kbd", {}, key.length === 1 ? key.toUpperCase() : key);

export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** `1 label`, `2 labels`, with thin spaces in large numbers. */
export const number = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

export const thumb = (place) => `/picture/${place}/thumb`;

/** Says something to those who listen rather than look. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** Shows what went wrong until something goes right. */
export function complain(error) {
  const box = document.getElementById("alert");
  box.hidden = !error;
  box.textContent = error ? `${error.message}${error.help ? `. ${error.help}` : ""}` : "";
}

/** The number of a class's colour; there are ten, then they come again. */
export const colour = (at) => `var(--c${at % 10})`;
