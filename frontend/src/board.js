// A screen on a wall (/board/): turns its pages, tells the time, and says loudly when it is not live. Nobody has to touch it.

/** Milliseconds that a page stays: long enough to read eight lines twice. */
const TURN = 12_000;

/** How many rows fit, given the room and the height of one; at least one. */
export function fitting(room, row, gap) {
  return row > 0 ? Math.max(1, Math.floor((room + gap) / (row + gap))) : 1;
}

/** The rows of page `number` (from 0; any number, it goes round), as [from, to). */
export function span(number, rows, each) {
  const pages = Math.max(1, Math.ceil(rows / each));
  const page = number % pages;
  return [page * each, Math.min(rows, (page + 1) * each), page + 1, pages];
}

class Board {
  constructor(main) {
    this.main = main;
    this.number = 0;
    this.turning = true;
  }

  start() {
    document.body.classList.add("lune-board--turning");
    this.show();
    setInterval(() => this.turn(), TURN);
    setInterval(() => this.tick(), 1000);
    this.tick();
    new ResizeObserver(() => this.show()).observe(this.main);
    document.addEventListener("htmx:afterSwap", () => this.show());
    const pause = document.querySelector("[data-board-pause]");
    pause.addEventListener("click", () => {
      this.turning = !this.turning;
      pause.textContent = this.turning ? "Stop turning" : "Go on turning";
    });
    const full = document.querySelector("[data-board-full]");
    full.hidden = !document.fullscreenEnabled;
    full.addEventListener("click", () => document.documentElement.requestFullscreen().catch(() => {}));
    document.addEventListener("fullscreenchange", () => (full.hidden = Boolean(document.fullscreenElement)));
    this.keepAwake();
    document.addEventListener("visibilitychange", () => this.keepAwake());
  }

  /** A screen on a wall must not go dark; where the browser cannot do that, the screen's own settings must. */
  keepAwake() {
    if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {});
  }

  turn() {
    if (!this.turning) return;
    this.number += 1;
    this.show();
  }

  show() {
    const rows = [...this.main.querySelectorAll(".lune-board__row")];
    for (const row of rows) row.hidden = false;
    // On a phone one scrolls; a page is turned only where the screen holds still.
    const narrow = window.innerWidth < 900;
    const room = this.main.clientHeight;
    const tallest = Math.max(0, ...rows.map((row) => row.offsetHeight));
    const each = narrow ? Math.max(1, rows.length) : fitting(room, tallest, 8);
    const [from, to, page, pages] = span(this.number, rows.length, each);
    rows.forEach((row, index) => (row.hidden = index < from || index >= to));
    const said = document.querySelector("[data-board-page]");
    said.textContent = pages > 1 ? `Page ${page} of ${pages}` : "";
    document.querySelector("[data-board-pause]").hidden = pages < 2;
  }

  tick() {
    const now = new Date();
    const clock = [now.getHours(), now.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
    const shown = document.querySelector("[data-board-clock]");
    if (shown.textContent !== clock) shown.textContent = clock;
  }
}

export function startBoard(root) {
  const main = root.querySelector("[data-board]");
  if (main) new Board(main).start();
}
