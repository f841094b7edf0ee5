
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const rows = [...document.querySelectorAll(".changed")];
  const names = ["arm", "corruption"];

  const pick = (name, value) => {
    const choices = [...form.elements[name]];
    (choices.find((choice) => choice.value === value) ?? choices[0]).checked = true;
  };

  const apply = () => {
    for (const row of rows) {
      const fits = (name) => ["", row.dataset[name]].includes(form.elements[name].value);
      row.hidden = !names.every(fits);
    }
    const seen = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent = `${seen} of ${rows.length} rows`;
    document.getElementById("none").hidden = seen > 0;
  };

  // The address keeps the choice, so that a filtered page can be linked to.
  const read = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const name of names) pick(name, wanted.get(name) ?? "");
    apply();
  };

  form.addEventListener("change", () => {
    const chosen = new URLSearchParams(names.map((name) => [name, form.elements[name].value]));
    location.replace(`#${chosen}`);
    apply();
  });
  window.addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
