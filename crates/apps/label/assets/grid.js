// Pictures in a grid, of which some are selected.

import { complain, counted, h, number, percent, say, thumb } from "./elements.js";
import { post } from "./server.js";

const PART = 120;

/** A grid of what the program answers to `wanted`. Keys of classes label what is selected. */
export class Grid {
  constructor(page, wanted, mode, title) {
    Object.assign(this, { page, wanted, mode, items: [], chosen: new Set(), anchor: 0, total: 0, leftOut: 0 });
    this.cells = h("div", { class: "grid", role: "group", "aria-label": title });
    this.words = h("p", { class: "small soft", role: "status" });
    this.more = h("button", { type: "button", hidden: true, onclick: () => this.load() }, "Show more");
    const all = h("button", { type: "button", onclick: () => this.all() }, "Select all shown");
    const none = h("button", { type: "button", onclick: () => this.none() }, "Select none");
    this.answers = h("div", { class: "answers compact", role: "group", "aria-label": "Label the selected pictures" });
    this.element = h("section", { class: "gridded" },
      h("div", { class: "bar" }, h("h2", {}, title), all, none),
      this.words, this.answers, this.cells, this.more);
    this.cells.addEventListener("pointerdown", (event) => this.drag(event));
    this.load();
  }

  async load(fresh = false) {
    try {
      const from = fresh ? 0 : this.items.length;
      const most = fresh ? Math.max(PART, this.items.length) : PART;
      const { items, total, left_out } = await post("/api/grid", { ...this.wanted, from, most });
      if (fresh) {
        this.items = [];
        this.cells.replaceChildren();
      }
      this.total = total;
      this.leftOut = left_out;
      for (const item of items) {
        this.cells.append(this.cell(item, this.items.length));
        this.items.push(item);
      }
      this.count();
    } catch (error) {
      complain(error);
    }
  }

  cell(item, at) {
    const is = item.decision ? item.decision.class ?? item.decision.is : item.guess?.class;
    const sure = item.decision || !item.guess ? "" : ` ${percent(item.guess.probability)}`;
    return h("button", {
      type: "button", class: "cell", role: "checkbox", "aria-checked": "false",
      "aria-label": `${item.name}${is ? `, ${is}${sure}` : ""}`, title: item.name, "data-at": at,
      tabindex: at === 0 ? "0" : "-1",
      onclick: (event) => this.click(event, at),
      ondblclick: () => this.page.open(item.place),
      onfocus: () => this.rove(at),
    },
    h("img", { src: thumb(item.place), alt: "", loading: "lazy", draggable: "false" }),
    h("span", { class: item.decision ? "label given" : "label" }, is ?? "", h("span", { class: "soft" }, sure)));
  }

  rove(at) {
    this.cells.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    this.cells.children[at]?.setAttribute("tabindex", "0");
  }

  click(event, at) {
    if (this.dragged) return;
    if (event.shiftKey) {
      const [low, high] = [Math.min(at, this.anchor), Math.max(at, this.anchor)];
      for (let i = low; i <= high; i += 1) this.choose(i, true);
    } else {
      this.choose(at, !this.chosen.has(at));
      this.anchor = at;
    }
    this.count();
  }

  choose(at, on) {
    const cell = this.cells.children[at];
    if (!cell) return;
    if (on) this.chosen.add(at);
    else this.chosen.delete(at);
    cell.setAttribute("aria-checked", String(on));
  }

  all() {
    this.items.forEach((_, at) => this.choose(at, true));
    this.count();
  }

  none() {
    [...this.chosen].forEach((at) => this.choose(at, false));
    this.count();
  }

  /** Everything that a rectangle touches is selected; with Ctrl it is taken out. */
  drag(event) {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const from = { x: event.pageX, y: event.pageY };
    const box = h("div", { class: "rubber" });
    this.dragged = false;
    const move = (now) => {
      const [x, y] = [Math.min(from.x, now.pageX), Math.min(from.y, now.pageY)];
      const [w, height] = [Math.abs(from.x - now.pageX), Math.abs(from.y - now.pageY)];
      if (!this.dragged && w + height < 12) return;
      if (!this.dragged) document.body.append(box);
      this.dragged = true;
      Object.assign(box.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${height}px` });
      [...this.cells.children].forEach((cell, at) => {
        const r = cell.getBoundingClientRect();
        const [left, top] = [r.left + scrollX, r.top + scrollY];
        const touches = left < x + w && left + r.width > x && top < y + height && top + r.height > y;
        if (touches) this.choose(at, !now.ctrlKey);
      });
      this.count();
    };
    const up = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
      box.remove();
      // The click that ends a drag is none.
      setTimeout(() => { this.dragged = false; }, 0);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
  }

  count() {
    const out = this.leftOut ? ` · ${counted(this.leftOut, "audit picture")} left out, shown one at a time only` : "";
    const shown = this.items.length < this.total ? `${number(this.items.length)} of ${counted(this.total, "picture")}` : counted(this.total, "picture");
    const labelled = [...this.chosen].filter((at) => this.items[at]?.decision).length;
    const had = labelled ? `, ${number(labelled)} with a label already` : "";
    this.words.textContent = `${shown} · ${number(this.chosen.size)} selected${had}${out}`;
    this.more.hidden = this.items.length >= this.total;
    this.draw();
  }

  /** The classes, each with its key. */
  draw() {
    this.answers.replaceChildren(...this.page.status.classes.map(({ name, key }) => h("button", {
      type: "button", class: "answer", disabled: this.chosen.size === 0, onclick: () => this.label("label", name),
    }, key ? h("kbd", {}, key.toUpperCase()) : "", h("span", {}, name))));
  }

  async label(what, name = null) {
    if (this.chosen.size === 0) return say("Nothing is selected");
    const images = [...this.chosen].map((at) => this.items[at].place);
    try {
      await post("/api/decide", { images, what, class: name, mode: this.mode });
      complain(null);
      say(`${counted(images.length, "picture")} labelled ${name ?? what}`);
      const gone = new Set(images);
      this.chosen.clear();
      this.items = this.items.filter((item) => !gone.has(item.place));
      this.total -= images.length;
      this.cells.replaceChildren(...this.items.map((item, at) => this.cell(item, at)));
      this.count();
      if (this.items.length < PART / 2 && this.total > this.items.length) this.load();
    } catch (error) {
      complain(error);
    }
  }

  async undo() {
    const done = await this.page.undo();
    if (!done) return;
    say(done.undone.length ? `${counted(done.undone.length, "label")} taken back` : "There is nothing to undo");
    this.chosen.clear();
    this.load(true);
  }

  key(event) {
    const { key } = event;
    const cell = event.target.closest?.(".cell");
    if ((event.ctrlKey || event.metaKey) && key === "a") {
      this.all();
      return true;
    }
    const columns = getComputedStyle(this.cells).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    if (step) {
      const from = cell ? Number(cell.dataset.at) : -step;
      const to = Math.min(Math.max(from + step, 0), this.items.length - 1);
      this.cells.children[to]?.focus();
      if (event.shiftKey) {
        this.choose(to, true);
        this.count();
      }
      return true;
    }
    if (key === "Escape") return this.none(), true;
    if (event.ctrlKey || event.metaKey) return false;
    if (key === "z" || key === "Backspace") return this.undo(), true;
    if (key === "u") return this.label("unsure"), true;
    if (key === "x") return this.label("unusable"), true;
    const known = this.page.classOf(key);
    if (known) this.label("label", known.name);
    return Boolean(known);
  }
}
