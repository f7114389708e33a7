// Lines of a list that refreshes itself: what is ticked stays ticked, and the page says how many are.

/** Start at a form that names the list (`data-choosing`), whose tick-boxes belong to the form. */
function startOne(form) {
  const list = () => document.getElementById(form.dataset.choosing);
  const place = form.querySelector("[data-chosen]");
  const boxes = () => [...(list()?.querySelectorAll("input[name=keys]") ?? [])];
  const ticked = new Set();
  const tell = () => {
    ticked.clear();
    for (const box of boxes()) if (box.checked) ticked.add(box.value);
    place.textContent = ticked.size ? `${ticked.size} ticked` : "";
    form.hidden = !ticked.size; // until there is something to do it to, it is in the way
  };
  document.addEventListener("change", (event) => event.target.name === "keys" && tell());
  document.body.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) box.checked ||= ticked.has(box.value);
    tell();
  });
  tell();
}

export function startChoosing(root) {
  root.querySelectorAll("form[data-choosing]").forEach(startOne);
}
