// Keeps a page true: badges, regions and the word “Live”. Starts by itself; see docs/architecture.md, “From change to screen”.
// Where no socket can be opened the page asks again and again (/live/poll/), by the same protocol. Without either it stays as it was rendered,
// badges go on decaying, and #live-status says since when it is not live.

const COLOURS = ["green", "amber", "red", "grey"];
/** Milliseconds. */
const SECOND = 1000;
const SILENCE = 6 * SECOND; // without a word for so long, the page is not live
const DEAD = 12 * SECOND; // and then the socket itself is given up
const AGES = 30 * SECOND; // “told 3 minutes ago” is written anew so often
const REFRESH = SECOND; // a region refreshes at most so often
const GATHER = 100; // new badges are gathered for so long before the server is asked
const LONGEST_WAIT = 30 * SECOND;
const SOON = 2 * SECOND; // for about a minute no wait is longer: what has died is usually back by then
const MANY_TRIES = 40;
const REFUSED = 3; // sockets in a row that never opened: something on the way lets none through
const AGAIN = 120 * SECOND; // after so long of asking, a socket is tried once more
const TOO_FAST = 1008; // close codes of the server: slow down;
const SIGNED_OUT = 4401; // and: you are somebody else now, begin anew
const NO_LONGER = "This is no longer yours to see. Reload the page.";

// --- pure parts, tested in live.test.mjs

/** The entry of a timeline ([from, rag, word, reason], oldest first) that holds at `now` (milliseconds). */
export function stateAt(timeline, now) {
  let current = timeline[0];
  for (const entry of timeline) {
    if (Date.parse(entry[0]) <= now) current = entry;
  }
  return current;
}

/** When the next entry begins, in milliseconds; Infinity when nothing more will change. */
export function nextChange(timeline, now) {
  return Math.min(Infinity, ...timeline.map((entry) => Date.parse(entry[0])).filter((from) => from > now));
}

/** The age of a figure in words, as `capacity.status.told` has it. */
export function told(reportedAt, now) {
  if (!reportedAt) return "never told";
  const seconds = Math.max(0, Math.floor((now - Date.parse(reportedAt)) / SECOND));
  for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    if (seconds >= size) {
      const count = Math.floor(seconds / size);
      return `told ${count} ${name}${count === 1 ? "" : "s"} ago`;
    }
  }
  return "told just now";
}

/** `text` with its age replaced; who told it stays. */
export function withAge(text, age) {
  return text.trim().replace(/^(told just now|told \d+ (?:minute|hour|day)s? ago|never told)?/, age);
}

/** `text` with who told it, and by which route, replaced. */
export function withTeller(text, teller) {
  const [age] = text.trim().match(/^(told just now|told \d+ (?:minute|hour|day)s? ago|never told)?/);
  return teller ? `${age} ${teller}` : age;
}

/** Whether a state may replace what a badge shows: the greatest version wins, whatever the order of arrival. */
export function supersedes(version, shown) {
  return !(Number(version) < Number(shown));
}

/** Milliseconds before try number `attempt` (from 0), spread by `chance` (0 to 1) so that not all come back at once. */
export function backOff(attempt, chance) {
  const longest = attempt < MANY_TRIES ? SOON : LONGEST_WAIT;
  return Math.min(longest, 500 * 2 ** Math.min(attempt, 10)) * (0.5 + chance / 2);
}

/** By which way to try next: asking, once several sockets in a row never opened; and now and then a socket after all. */
export function wayFor(refused, polledSince, now) {
  if (refused < REFUSED) return "socket";
  return polledSince && now - polledSince >= AGAIN ? "socket" : "poll";
}

/** “Live”, or since when not. */
export function statusText(live, since) {
  if (live) return "Live";
  const clock = [since.getHours(), since.getMinutes()].map((part) => String(part).padStart(2, "0"));
  return `Not live since ${clock.join(":")}`;
}

/** Whether the answer to a region that fetched itself says that it may no longer be seen. */
export function isGone(status) {
  return status === 403 || status === 404;
}

/** Whether two watches ask for the same. */
export function sameWatch(one, other) {
  return Boolean(one && other) && one.pools.join() === other.pools.join() && one.topics.join() === other.topics.join();
}

/** The topics that a region names. */
export function topicsOf(text) {
  return (text || "").split(/\s+/).filter(Boolean);
}

// --- the page

class Live {
  constructor() {
    this.socket = null;
    this.cursor = null;
    this.wanted = null;
    this.states = new Map(); // pool → the newest state the server told
    this.refreshes = new Map(); // region → {at, timer}
    this.attempt = 0;
    this.offset = 0; // the server's clock less ours
    this.heardAt = 0; // anything at all
    this.liveAt = Date.now(); // when the page was last known to be live
    this.relayLives = false;
    this.stopped = false;
    this.refused = 0; // sockets in a row that never opened
    this.asking = null; // an AbortController, while the page asks instead of listening
    this.polledSince = 0;
    this.retry = this.gather = this.decay = undefined;
  }

  start() {
    this.look();
    new MutationObserver((changes) => {
      if (changes.some((change) => change.addedNodes.length || change.removedNodes.length)) this.lookSoon();
    }).observe(document.body, { childList: true, subtree: true });
    document.addEventListener("htmx:afterSwap", () => this.lookSoon());
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (!this.endIfGone(event)) this.spare(event);
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.wake();
    });
    window.addEventListener("online", () => this.wake());
    window.addEventListener("pagehide", () => this.stop());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.resume();
    });
    setInterval(() => this.watchOver(), SECOND);
    setInterval(() => this.paintAll(), AGES);
    this.connect();
  }

  now() {
    return Date.now() + this.offset;
  }

  // --- what the page holds

  lookSoon() {
    this.gather ??= setTimeout(() => {
      this.gather = undefined;
      this.look();
    }, GATHER);
  }

  /** Find badges and regions; ask the server for them when they are not the ones it was asked for. */
  look() {
    const pools = new Set();
    for (const badge of document.querySelectorAll(".lune-rag[data-pool]")) {
      pools.add(badge.dataset.pool);
      const state = this.states.get(badge.dataset.pool);
      if (state) this.apply(badge, state);
    }
    const topics = new Set();
    for (const region of document.querySelectorAll("[data-live-topics]")) {
      topicsOf(region.dataset.liveTopics).forEach((topic) => topics.add(topic));
    }
    const wanted = { pools: [...pools].sort(), topics: [...topics].sort() };
    if (!sameWatch(this.wanted, wanted)) {
      this.wanted = wanted;
      this.ask();
    }
    this.decaySoon();
  }

  apply(badge, state) {
    if (!supersedes(state.version, badge.dataset.version)) return;
    badge.dataset.version = state.version;
    badge.dataset.reportedAt = state.reported_at || "";
    badge.dataset.timeline = JSON.stringify(state.timeline);
    const age = badge.querySelector(".lune-rag__told");
    if (age) write(age, withTeller(age.textContent, state.told_by));
    this.paint(badge);
  }

  /** Show what a badge's timeline says at this moment. Only what differs is written: an unchanged page is left alone. */
  paint(badge) {
    let entry;
    try {
      entry = stateAt(JSON.parse(badge.dataset.timeline), this.now());
    } catch {
      return; // rendered without a timeline: it stays as it is
    }
    if (!entry) return;
    const [, rag, word, reason] = entry;
    for (const colour of COLOURS) badge.classList.toggle(`lune-rag--${colour}`, colour === rag);
    write(badge.querySelector(".lune-rag__word"), word);
    if (badge.title !== reason) badge.title = reason;
    const age = badge.querySelector(".lune-rag__told");
    if (age) write(age, withAge(age.textContent, told(badge.dataset.reportedAt, this.now())));
  }

  paintAll() {
    for (const badge of document.querySelectorAll(".lune-rag[data-pool]")) this.paint(badge);
    this.decaySoon();
  }

  /** Wake at the next moment when some badge decays, with or without a server. */
  decaySoon() {
    clearTimeout(this.decay);
    const now = this.now();
    let next = Infinity;
    for (const badge of document.querySelectorAll(".lune-rag[data-pool]")) {
      try {
        next = Math.min(next, nextChange(JSON.parse(badge.dataset.timeline), now));
      } catch {
        continue;
      }
    }
    // AGES comes round anyway, so only what falls before it needs a timer of its own.
    if (next - now < AGES) this.decay = setTimeout(() => this.paintAll(), next - now + 20);
  }

  /** Let a region fetch itself anew: now, or when a second has passed, the page is seen and nobody is typing in it. */
  refresh(region) {
    const key = region.id || region.getAttribute("hx-get");
    const known = this.refreshes.get(key) ?? { at: 0, timer: undefined };
    this.refreshes.set(key, known);
    if (known.timer !== undefined) return;
    const busy = document.hidden || isTypingIn(region) || isAsking(region);
    const wait = busy ? REFRESH : Math.max(0, known.at + REFRESH - Date.now());
    if (wait > 0) {
      known.timer = setTimeout(() => {
        known.timer = undefined;
        for (const each of document.querySelectorAll("[data-live-topics]")) {
          if ((each.id || each.getAttribute("hx-get")) === key) this.refresh(each);
        }
      }, wait);
      return;
    }
    known.at = Date.now();
    region.dispatchEvent(new CustomEvent("lune:refresh"));
  }

  /** A region that may no longer be seen goes, and all of the page with it where it fetches itself from the page's own address. */
  endIfGone({ detail }) {
    const region = detail.requestConfig?.elt;
    if (!region?.matches("[data-live-topics]") || !isGone(detail.xhr.status)) return false;
    detail.shouldSwap = false;
    const isPage = new URL(region.getAttribute("hx-get"), location.href).pathname === location.pathname;
    const words = document.createElement("p");
    words.setAttribute("role", "alert");
    words.textContent = NO_LONGER;
    ((isPage && region.closest("main")) || region).replaceChildren(words);
    region.removeAttribute("data-live-topics"); // nothing refreshes it any more
    return true;
  }

  /**
   * A form of the region was sent while the region fetched itself: leave the form where its answer will look for it. What somebody has begun
   * to type meanwhile stays, and so does a button that is held down: put in its place another, and the tap is lost between press and release.
   */
  spare(event) {
    const region = event.detail.target;
    if (!region.matches("[data-live-topics]")) return;
    if (!(isAsking(region) || isTypingIn(region) || region.querySelector(":active"))) return;
    event.detail.shouldSwap = false;
    this.refresh(region);
  }

  // --- the socket

  connect() {
    clearTimeout(this.retry);
    this.retry = undefined;
    if (wayFor(this.refused, this.polledSince, Date.now()) === "poll") {
      this.poll();
      return;
    }
    this.polledSince = 0;
    this.asking = null;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(`${scheme}//${location.host}/live/`));
    this.heardAt = Date.now();
    this.refused += 1; // until it opens
    socket.addEventListener("open", () => {
      this.refused = 0;
      this.ask();
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.socket) this.hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.socket) this.lost(event.code);
    });
  }

  /** Ask what is new; the server answers when something is, or after some seconds. Then ask again. */
  async poll() {
    const asking = (this.asking = new AbortController());
    this.polledSince ||= Date.now();
    this.heardAt = Date.now();
    try {
      const body = JSON.stringify({ action: "watch", ...this.wanted, cursor: this.cursor });
      const patience = setTimeout(() => asking.abort(), DEAD);
      const answer = await fetch("/live/poll/", { method: "POST", body, cache: "no-store", signal: asking.signal });
      clearTimeout(patience);
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      const messages = await answer.json();
      if (asking !== this.asking) return; // the page has changed its mind meanwhile
      for (const message of messages) this.hear(message);
      this.connect();
    } catch {
      if (asking !== this.asking) return;
      this.refused = REFUSED - 1; // perhaps it was the server that was away, and not the sockets
      this.polledSince = 0;
      this.lost(0);
    }
  }

  ask() {
    if (this.asking) {
      this.asking.abort();
      this.poll();
    } else if (this.socket?.readyState === WebSocket.OPEN && this.wanted) {
      this.socket.send(JSON.stringify({ action: "watch", ...this.wanted, cursor: this.cursor }));
    }
  }

  hear(message) {
    this.heardAt = Date.now();
    if (message.kind === "error") {
      console.warn(`Live updates: ${message.message}`);
      return;
    }
    this.attempt = 0;
    this.cursor = message.cursor;
    if (message.kind === "heartbeat") {
      this.relayLives = message.live;
      this.offset = Date.parse(message.at) - Date.now();
    } else {
      this.show(message);
    }
    this.watchOver();
  }

  show({ kind, pools, topics }) {
    for (const [pool, state] of Object.entries(pools)) {
      if (!supersedes(state.version, this.states.get(pool)?.version)) continue;
      this.states.set(pool, state);
      for (const badge of document.querySelectorAll(`.lune-rag[data-pool="${CSS.escape(pool)}"]`)) this.apply(badge, state);
    }
    for (const region of document.querySelectorAll("[data-live-topics]")) {
      if (kind === "snapshot" || topicsOf(region.dataset.liveTopics).some((topic) => topics.includes(topic))) this.refresh(region);
    }
    this.decaySoon();
  }

  lost(code) {
    this.socket = this.asking = null;
    this.relayLives = false;
    if (code === SIGNED_OUT) this.cursor = null;
    if (!this.stopped) {
      const wait = code === TOO_FAST ? LONGEST_WAIT : backOff(this.attempt, Math.random());
      this.attempt += 1;
      this.retry = setTimeout(() => this.connect(), wait);
    }
    this.watchOver();
  }

  /** Say whether the page is live, and give up a socket that has died without a word. */
  watchOver() {
    if (this.stopped) return;
    const now = Date.now();
    const open = this.asking || this.socket?.readyState === WebSocket.OPEN;
    const live = open && this.relayLives && now - this.heardAt < SILENCE;
    if (live) this.liveAt = now;
    const status = document.getElementById("live-status");
    // A moment's break is nobody's business: only what lasts is said.
    if (status && (live || now - this.liveAt >= SILENCE)) {
      status.dataset.live = live ? "yes" : "no";
      write(status, statusText(live, new Date(this.liveAt)));
    }
    if (this.socket && now - this.heardAt > DEAD) {
      const socket = this.socket;
      this.lost(0);
      socket.close();
    }
  }

  /** Somebody looks again, or the network is back: do not wait any longer. */
  wake() {
    this.paintAll();
    if (!this.stopped && this.retry !== undefined) this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.socket?.close();
    this.asking?.abort();
    this.socket = this.asking = null;
    this.relayLives = false;
  }

  resume() {
    this.stopped = false;
    this.attempt = 0;
    this.paintAll();
    this.connect();
  }
}

function write(element, text) {
  if (element && text !== undefined && element.textContent !== text) element.textContent = text;
}

/** Whether a form of the region waits for its answer. */
function isAsking(region) {
  return region.querySelector(".htmx-request") !== null;
}

function isTypingIn(region) {
  const active = document.activeElement;
  return Boolean(active && region.contains(active) && active.matches("input:not([type=submit], [type=button]), textarea, select"));
}

if (typeof document !== "undefined" && "WebSocket" in window) {
  const live = new Live();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => live.start());
  else live.start();
}
