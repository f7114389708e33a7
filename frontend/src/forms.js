// Small helps for forms: filter a long list of tick-boxes, count what is chosen.

/** Hide the tick-boxes whose words do not contain what is typed; open the groups that still have some. */
function startFilter(box) {
  if (box.dataset.started) return;
  box.dataset.started = "yes";
  const target = document.getElementById(box.dataset.filters);
  const said = document.getElementById(box.dataset.says);
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    let shown = 0;
    for (const group of target.querySelectorAll("details")) {
      let any = false;
      for (const item of group.querySelectorAll("[data-words]")) {
        const match = !wanted || item.dataset.words.includes(wanted);
        item.hidden = !match;
        any ||= match;
        shown += match;
      }
      group.hidden = !any;
      if (wanted) group.open = any;
    }
    said.textContent = wanted ? `${shown} found` : "";
  });
}

/** Tell how many lines of a list are ticked. */
function startCount(form) {
  if (form.dataset.started) return;
  form.dataset.started = "yes";
  const tell = () => {
    const count = form.querySelectorAll("input[name=pools]:checked").length;
    for (const place of form.querySelectorAll("[data-chosen]")) {
      place.textContent = count ? `${count} chosen` : "None chosen yet";
    }
  };
  form.addEventListener("change", tell);
  tell();
}

export function startForms(root) {
  root.querySelectorAll("input[data-filters]").forEach(startFilter);
  root.querySelectorAll("form[data-count-chosen]").forEach(startCount);
}
