"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const groups = JSON.parse(byId("data").textContent).groups;
  const cards = [...document.querySelectorAll(".card")];

  for (const element of document.querySelectorAll(".js")) element.hidden = false;

  // Filters: every control narrows; what is left is counted aloud.
  const form = byId("filters");
  if (form) {
    const fields = { verdict: byId("f-verdict"), code: byId("f-code"), tool: byId("f-tool") };
    const text = byId("f-text");
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const card of cards) {
        const group = groups[Number(card.dataset.n)];
        const fits =
          (!fields.verdict.value || group.verdict === fields.verdict.value) &&
          (!fields.code.value || group.code === fields.code.value) &&
          (!fields.tool.value || group.tools.includes(fields.tool.value)) &&
          words.every((word) => group.text.includes(word));
        card.hidden = !fits;
        left += fits ? 1 : 0;
      }
      byId("f-count").textContent =
        left === cards.length ? `${left} behaviours` : `${left} of ${cards.length} behaviours`;
      byId("none-left").hidden = left > 0;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !text.value) return;
      event.preventDefault();
      text.value = "";
      apply();
    });
    apply(); // browsers keep field values over a reload
  }

  const examples = [...document.querySelectorAll("details.ex")];
  const button = byId("open-all");
  if (button) {
    const label = () => {
      button.textContent = examples.every((d) => d.open) ? "Close all" : "Open all";
    };
    button.addEventListener("click", () => {
      const open = !examples.every((d) => d.open);
      for (const d of examples) d.open = open;
      label();
    });
    for (const d of examples) d.addEventListener("toggle", label);
    label();
  }

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("button.copy");
    if (!copy) return;
    const code = copy.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
    } catch {
      // No clipboard from this page: select the text, so that one key press copies it.
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });

  // Paper has no triangles to click.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll(".card details:not([open])")];
    for (const d of closed) d.open = true;
  });
  addEventListener("afterprint", () => {
    for (const d of closed) d.open = false;
  });
})();
