
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const { prompt, status, gone } = form.elements;
  const variants = [...document.querySelectorAll("#drawn .variant")];
  const sources = [...document.querySelectorAll("#drawn .source")];

  const pick = (select, value) => {
    const known = [...select.options].some((option) => option.value === value);
    select.value = known ? value : "";
  };

  const apply = () => {
    for (const one of variants) {
      const fits = (select, value) => !select.value || select.value === value;
      one.hidden = !fits(prompt, one.dataset.prompt) || !fits(status, one.dataset.status);
    }
    const filtered = prompt.value || status.value;
    for (const source of sources) {
      source.hidden = filtered !== "" && !source.querySelector(".variant:not([hidden])");
    }
    const seen = variants.filter((one) => !one.hidden).length;
    form.querySelector("output").textContent = `${seen} of ${variants.length} variants`;
    document.body.classList.toggle("without-gone", !gone.checked);
  };

  // The address keeps the choice, so that a filtered page can be linked to.
  const read = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    pick(prompt, wanted.get("prompt"));
    pick(status, wanted.get("status"));
    apply();
  };

  form.addEventListener("change", () => {
    const chosen = new URLSearchParams(location.hash.slice(1));
    chosen.set("prompt", prompt.value);
    chosen.set("status", status.value);
    location.replace(`#${chosen}`);
    apply();
  });
  window.addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
