// Lets the time that is left of a held place tick, second by second. Without this the page says how long it was when it was made.

const SECOND = 1000;

/** How long in words, as `frontend.presenters.countdown.left` has it; in the last ten minutes with seconds. */
export function left(seconds) {
  if (seconds <= 0) return "time is up";
  const parts = [
    [Math.floor(seconds / 86400), "day"],
    [Math.floor(seconds / 3600) % 24, "hour"],
    [seconds >= 86400 ? 0 : Math.floor(seconds / 60) % 60, "minute"],
    [seconds < 600 ? Math.floor(seconds) % 60 : 0, "second"],
  ];
  const words = parts.filter(([count]) => count).map(([count, name]) => `${count} ${name}${count === 1 ? "" : "s"}`);
  return `${words.join(" ")} left`;
}

/** When each countdown ends by this browser's clock, which may be wrong: only the time that passes on it counts. */
const ends = new WeakMap();

function tick() {
  for (const part of document.querySelectorAll("[data-seconds-left]")) {
    if (!ends.has(part)) ends.set(part, Date.now() + Number(part.dataset.secondsLeft) * SECOND);
    const words = left((ends.get(part) - Date.now()) / SECOND);
    if (part.textContent !== words) part.textContent = words;
  }
}

/** Start the one clock of the page. */
export function startCountdowns() {
  tick();
  setInterval(tick, SECOND);
}
