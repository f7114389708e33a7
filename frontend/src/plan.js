// The plan board: somebody is dragged to another place, whose price is shown before the drop. Pressing the handle, by key or finger,
// shows the same places with a button each: nobody has to drag. Without script there is the person's own page.

/** Pixels that a pointer moves before it is a drag and not a press. */
const FAR = 6;
/** Within so many pixels of its edge the list of places scrolls under a drag, by so many with each frame. */
const EDGE = 40;
const STEP = 6;

/** How far a list scrolls when somebody is held at that height over it: up at its top edge, down at its bottom edge. */
export function scrollAt(y, top, bottom) {
  if (y < top || y > bottom) return 0;
  if (y - top < EDGE) return -STEP;
  return bottom - y < EDGE ? STEP : 0;
}

class Mover {
  constructor(panel, said) {
    this.panel = panel;
    this.said = said;
    this.grip = null;
    this.drag = null;
    this.asked = 0;
  }

  start() {
    document.addEventListener("pointerdown", (event) => this.down(event));
    document.addEventListener("pointermove", (event) => this.move(event));
    document.addEventListener("pointerup", (event) => this.up(event));
    document.addEventListener("pointercancel", () => this.end("Nothing was changed."));
    // The browser's own dragging of words that are marked would take the pointer away.
    for (const type of ["dragstart", "selectstart"]) document.addEventListener(type, (event) => this.drag && event.preventDefault());
    document.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.escape());
  }

  show(root) {
    for (const grip of root.querySelectorAll("[data-plan-grip]")) grip.hidden = false;
  }

  tell(words) {
    this.said.textContent = words;
  }

  down(event) {
    const grip = event.target.closest?.("[data-plan-grip]");
    if (!grip || event.button !== 0 || !event.isPrimary) return;
    this.drag = { grip, x: event.clientX, y: event.clientY, ghost: null, target: null };
  }

  move(event) {
    const drag = this.drag;
    if (!drag || !event.isPrimary) return;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
      drag.ghost = document.createElement("div");
      drag.ghost.className = "lune-ghost";
      drag.ghost.setAttribute("aria-hidden", "true");
      drag.ghost.textContent = drag.grip.dataset.name;
      document.body.append(drag.ghost);
      document.body.classList.add("lune-dragging");
      this.open(drag.grip);
      requestAnimationFrame(() => this.scroll(drag));
    }
    event.preventDefault();
    [drag.x, drag.y] = [event.clientX, event.clientY];
    drag.ghost.style.transform = `translate(${drag.x + 12}px, ${drag.y - 40}px)`;
    this.over();
  }

  /** As long as somebody is held at its edge the list goes on. */
  scroll(drag) {
    if (this.drag !== drag) return;
    const box = this.panel.getBoundingClientRect();
    const before = this.panel.scrollTop;
    this.panel.scrollBy(0, scrollAt(drag.y, box.top, box.bottom));
    if (this.panel.scrollTop !== before) this.over();
    requestAnimationFrame(() => this.scroll(drag));
  }

  /** Mark the place under the pointer, and say its price. */
  over() {
    const drag = this.drag;
    const target = document.elementFromPoint(drag.x, drag.y)?.closest("[data-plan-target]") ?? null;
    if (target === drag.target) return;
    drag.target?.classList.remove("lune-move__over");
    target?.classList.add("lune-move__over");
    drag.target = target;
    const words = (part) => target.querySelector(part).textContent.replace(/\s+/g, " ").trim();
    drag.ghost.textContent = target ? `${drag.grip.dataset.name}: ${words("[data-plan-price] strong")}` : drag.grip.dataset.name;
    if (target) this.tell(`${words(".lune-held__title")}. ${words("[data-plan-price]")}`);
  }

  up(event) {
    const drag = this.drag;
    if (!drag || !event.isPrimary) return;
    if (!drag.ghost) {
      this.drag = null; // a press: click follows
      return;
    }
    this.over();
    const button = drag.target?.querySelector("button[value=choose]");
    // The click that follows a drag is not a press.
    this.dropped = true;
    setTimeout(() => (this.dropped = false));
    this.end(button ? "" : "Nothing was changed.");
    if (button) button.form.requestSubmit(button);
  }

  end(words) {
    if (!this.drag) return;
    this.drag.ghost?.remove();
    this.drag.target?.classList.remove("lune-move__over");
    document.body.classList.remove("lune-dragging");
    const dragged = this.drag.ghost;
    this.drag = null;
    if (dragged && words) {
      this.close();
      this.tell(words);
    }
  }

  escape() {
    if (this.drag?.ghost) this.end("Nothing was changed.");
    else if (!this.panel.hidden) this.close(true);
  }

  click(event) {
    if (event.target.closest?.("[data-plan-close]")) return this.close(true);
    const grip = event.target.closest?.("[data-plan-grip]");
    if (!grip || this.dropped) return undefined;
    return this.open(grip, true);
  }

  /** Fetch the places of one person with their prices. */
  async open(grip, focus = false) {
    const asked = (this.asked += 1);
    this.grip = grip;
    this.panel.hidden = false;
    this.panel.textContent = `Working out what other places would cost for ${grip.dataset.name}…`;
    this.tell(this.panel.textContent);
    let body = "";
    try {
      const answer = await fetch(grip.dataset.planGrip, { headers: { "HX-Request": "true", "HX-Target": "plan-places" } });
      if (answer.ok && !answer.redirected) body = await answer.text();
    } catch {
      // Told below: there is no answer.
    }
    if (asked !== this.asked) return;
    if (!body) {
      window.location.assign(grip.dataset.planGrip);
      return;
    }
    this.panel.innerHTML = body;
    const title = this.panel.querySelector("[data-plan-title]");
    const places = this.panel.querySelectorAll("[data-plan-target]").length;
    this.tell(`${title.textContent}: ${places}.`);
    if (focus) title.focus();
    if (this.drag?.ghost) this.over();
  }

  close(back = false) {
    this.asked += 1;
    this.panel.hidden = true;
    this.panel.textContent = "";
    // The board may have renewed itself meanwhile: the handle of the same line is found again.
    const grip = this.grip && document.querySelector(`[data-plan-grip="${this.grip.dataset.planGrip}"]`);
    if (back) grip?.focus();
  }
}

let mover = null;

export function startPlan(root) {
  const panel = document.getElementById("plan-places");
  if (panel && !mover) {
    mover = new Mover(panel, document.getElementById("plan-said"));
    mover.start();
  }
  mover?.show(root);
}
