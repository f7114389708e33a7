// A screen on a wall (/board/): turns its pages, tells the time, and says loudly when it is not live. Nobody has to touch it.

/** Milliseconds that a page stays: long enough to read eight lines twice. */
const TURN = 12_000;
/** Between two rows, as the sheet has it. */
const GAP = 8;

/** Share rows of these heights among pages of that room, in their order: for each page the index of its first row. */
export function pagesOf(heights, room, gap) {
  const firsts = [];
  let left = 0;
  heights.forEach((height, index) => {
    if (index === 0 || height > left) {
      firsts.push(index);
      left = room;
    }
    left -= height + gap;
  });
  return firsts.length ? firsts : [0];
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
    const room = window.innerWidth < 900 ? Infinity : this.main.clientHeight;
    const pages = pagesOf(rows.map((row) => row.offsetHeight), room, GAP);
    const page = this.number % pages.length;
    const [from, to] = [pages[page], pages[page + 1] ?? rows.length];
    rows.forEach((row, index) => (row.hidden = index < from || index >= to));
    document.querySelector("[data-board-page]").textContent = pages.length > 1 ? `Page ${page + 1} of ${pages.length}` : "";
    document.querySelector("[data-board-pause]").hidden = pages.length < 2;
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
