// Tells that somebody presses on a way to reach a service: which kind, and nothing else. The page does not wait for it.

/** Listen to the links of this page that say what they are (`data-press`), inside what says where to tell it (`data-presses`). */
export function startPresses(root) {
  root.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-press]");
    const address = link?.closest("[data-presses]")?.dataset.presses;
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    if (!address || !token) return;
    const body = new URLSearchParams({ what: link.dataset.press, csrfmiddlewaretoken: token });
    fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
  });
}
