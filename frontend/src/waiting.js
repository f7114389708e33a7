// What a provider says without a network waits on the phone, with the time when it was said and a key of its own, and is sent when there is
// a network again: also after the page was closed, and after signing in anew. The key makes it count once, however often it is sent.
// On the phone lie figures of places and the note that was typed, never a word of a patient.

const STORE = "lune.waiting";
const MOST = 200; // updates that may wait; nobody makes so many
const AGAIN = 15_000; // milliseconds until the next try while something waits

// --- pure parts, tested in waiting.test.mjs

/** The number that stands on the screen after a press, when `shown` stood there before; null when none does. */
export function numberAfter(fields, shown) {
  const now = /^\d+$/.test(shown ?? "") ? Number(shown) : 0;
  switch (fields.action) {
    case "less":
      return Math.max(0, now - 1);
    case "more":
      return now + 1;
    case "full":
      return 0;
    case "set":
      return /^\d+$/.test(fields.available ?? "") ? Number(fields.available) : null;
    default:
      return /^\d+$/.test(shown ?? "") ? now : null;
  }
}

/** One update as it waits. What a step was taken from may have changed by the time it is sent, so the number itself is kept. */
export function entryOf(fields, { pool, name, user, shown, key, now }) {
  const number = numberAfter(fields, shown);
  const kept = fields.action === "set" ? { ...fields } : { action: fields.action, available: number === null ? "" : String(number) };
  for (const field of ["csrfmiddlewaretoken", "version", "key"]) delete kept[field];
  return { key, pool, name, user, number, madeAt: now.toISOString(), fields: kept, refused: "" };
}

/** What the person said, in words. */
export function saidOf(entry) {
  if (entry.fields.action === "same") return "still correct";
  return entry.number === null ? "what you typed" : `${entry.number} empty`;
}

/** When it was made, as people say it: “14:02”, “21 November, 14:02”. */
export function madeOf(entry, now) {
  const made = new Date(entry.madeAt);
  const clock = [made.getHours(), made.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  return made.toDateString() === now.toDateString() ? clock : `${made.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${clock}`;
}

/** The next to be sent for this user, the oldest first: a later one of the same places never overtakes it. */
export function nextOf(entries, user) {
  return entries.find((entry) => entry.user === user && !entry.refused);
}

// --- what lies on the phone

function read() {
  try {
    const entries = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return []; // no storage, or not ours
  }
}

function write(entries) {
  try {
    localStorage.setItem(STORE, JSON.stringify(entries.slice(-MOST)));
    return true;
  } catch {
    return false;
  }
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- the page

class Waiting {
  constructor(box) {
    this.box = box;
    this.user = box.dataset.user;
    this.answers = []; // what became of those that were sent from this page
    this.stopped = ""; // why nothing can be sent from here: "sign-in" or "reload"
    this.sending = false;
    this.asked = new WeakMap(); // form → the update that it is being sent as
    this.list = box.querySelector("ul");
    this.notice = box.querySelector("p");
  }

  start() {
    document.body.addEventListener("htmx:configRequest", (event) => this.before(event));
    document.body.addEventListener("htmx:beforeOnLoad", (event) => this.signedOut(event));
    for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
      document.body.addEventListener(name, (event) => this.failed(event));
    }
    window.addEventListener("online", () => this.send());
    window.addEventListener("storage", (event) => event.key === STORE && this.paint());
    document.addEventListener("visibilitychange", () => !document.hidden && this.send());
    this.box.addEventListener("click", (event) => this.dismiss(event));
    setInterval(() => nextOf(read(), this.user) && this.send(), AGAIN);
    document.body.addEventListener("htmx:afterSettle", () => this.showAll());
    this.showAll();
    this.paint();
    this.send();
  }

  /** A press on a card: give it a key; keep it at once when it could not arrive, or would overtake an earlier one. */
  before(event) {
    const card = event.target.closest?.(".lune-place");
    if (!card || event.detail.verb !== "post") return;
    const fields = Object.fromEntries(event.detail.formData);
    const entry = entryOf(fields, {
      pool: card.id.replace("place-", ""),
      name: card.querySelector(".lune-place__name")?.textContent.trim() ?? "",
      user: this.user,
      shown: card.querySelector(".lune-place__figure strong")?.textContent.trim(),
      key: newKey(),
      now: new Date(),
    });
    const earlier = read().some((each) => each.user === this.user && each.pool === entry.pool && !each.refused);
    if ((navigator.onLine && !earlier) || "because" in fields) {
      // Taking places back from teams is decided on what stands there now: that never waits.
      event.detail.parameters.key = entry.key;
      if (!("because" in fields)) this.asked.set(event.target, entry);
      return;
    }
    event.preventDefault();
    this.keep(entry);
    this.send();
  }

  /** It did not arrive, or its answer did not: it waits, under the same key. */
  failed(event) {
    const entry = this.asked.get(event.target);
    const status = event.detail.xhr?.status ?? 0;
    if (!entry || (event.type === "htmx:responseError" && status < 500 && status !== 403)) return;
    this.asked.delete(event.target);
    this.keep(entry);
  }

  /** The session has ended: keep the press, then go and sign in. */
  signedOut(event) {
    const entry = this.asked.get(event.target);
    if (!entry || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault();
    this.keep(entry);
    location.assign(this.box.dataset.signIn);
  }

  keep(entry) {
    const entries = read();
    if (!entries.some((each) => each.key === entry.key) && !write([...entries, entry])) {
      this.answers.push({ words: `${entry.name}: ${saidOf(entry)}`, said: "Not saved: this phone lets us keep nothing. Press it again when there is a network." });
    } else {
      this.show(entry);
    }
    this.paint();
  }

  /** The card says what the person said, and that nobody else sees it yet. */
  show(entry) {
    const card = document.getElementById(`place-${entry.pool}`);
    const figure = card?.querySelector(".lune-place__figure strong");
    if (!figure) return;
    if (entry.number !== null) {
      figure.textContent = entry.number;
      const less = document.getElementById(`less-${entry.pool}`);
      if (less) less.disabled = entry.number === 0;
    }
    const line = card.querySelector(".lune-place__waiting") ?? document.createElement("p");
    line.className = "lune-place__waiting";
    line.textContent = `Waiting to be sent: ${saidOf(entry)}, made at ${madeOf(entry, new Date())}.`;
    figure.closest("form").after(line);
  }

  /** A card that was drawn anew says again what waits. */
  showAll() {
    for (const entry of read()) if (entry.user === this.user && !entry.refused) this.show(entry);
  }

  async send() {
    if (this.sending || !navigator.onLine || !nextOf(read(), this.user)) return;
    this.sending = true;
    try {
      // Two tabs do not send together; if they did, the key would still let each count once.
      const all = () => this.sendAll();
      await (navigator.locks ? navigator.locks.request(STORE, all) : all());
    } finally {
      this.sending = false;
      this.paint();
    }
  }

  async sendAll() {
    for (let entry = nextOf(read(), this.user); entry; entry = nextOf(read(), this.user)) {
      const answer = await this.post(entry);
      if (!answer) return;
      const rest = read().filter((each) => each.key !== entry.key);
      write(answer.outcome === "refused" ? [...rest, { ...entry, refused: answer.said }] : rest);
      if (answer.outcome !== "refused") this.answers.push({ words: this.words(entry), said: answer.said });
      this.paint();
      document.querySelector(`#place-${CSS.escape(entry.pool)} .lune-place__now`)?.dispatchEvent(new CustomEvent("lune:refresh"));
    }
  }

  /** The server's answer; nothing when it must be sent again later. */
  async post(entry) {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
    const body = new URLSearchParams({
      ...entry.fields, pool: entry.pool, key: entry.key, made_at: entry.madeAt, sent_at: new Date().toISOString(), csrfmiddlewaretoken: token,
    });
    let response;
    try {
      response = await fetch(this.box.dataset.address, { method: "POST", body, redirect: "manual" });
    } catch {
      return null; // no network after all
    }
    if (response.type === "opaqueredirect") this.stopped = "sign-in";
    else if (response.status === 403) this.stopped = "reload";
    else {
      this.stopped = "";
      if (response.ok || response.status === 422) return response.json();
    }
    return null;
  }

  dismiss(event) {
    const key = event.target.dataset?.dismiss;
    if (!key) return;
    write(read().filter((entry) => entry.key !== key));
    this.paint();
    this.box.focus();
  }

  words(entry) {
    return `${entry.name}: ${saidOf(entry)}, made at ${madeOf(entry, new Date())}.`;
  }

  paint() {
    const entries = read();
    const mine = entries.filter((entry) => entry.user === this.user);
    const others = entries.length - mine.length;
    const lines = [
      ...mine.map((entry) => ({ words: this.words(entry), said: entry.refused ? `Not kept: ${entry.refused}` : "Waiting to be sent.", entry })),
      ...this.answers,
    ];
    if (others) lines.push({ words: `${others} of somebody else`, said: "waiting on this phone until they sign in here." });
    this.list.replaceChildren(...lines.map((line) => this.line(line)));
    this.box.hidden = lines.length === 0;
    const waits = mine.some((entry) => !entry.refused);
    this.notice.replaceChildren();
    if (waits && this.stopped) {
      const link = document.createElement("a");
      link.href = this.stopped === "sign-in" ? this.box.dataset.signIn : location.pathname;
      link.textContent = this.stopped === "sign-in" ? "Sign in again to send it" : "Load this page again to send it";
      this.notice.append(link, ". Nothing is lost.");
    } else if (waits) {
      this.notice.textContent = "There is no network. It is sent by itself when there is one, with the time when you made it.";
    }
  }

  line({ words, said, entry }) {
    const item = document.createElement("li");
    const strong = document.createElement("strong");
    strong.textContent = words;
    item.append(strong, ` ${said}`);
    if (entry?.refused) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "nhsuk-button nhsuk-button--secondary nhsuk-button--small";
      button.dataset.dismiss = entry.key;
      button.textContent = "I have seen it";
      item.append(" ", button);
    }
    return item;
  }
}

/** On the page of a provider's own places. */
export function startWaiting(root) {
  const box = root.getElementById("places-waiting");
  if (box) new Waiting(box).start();
}
