const form = document.getElementById("filter");
if (form) {
  const input = document.getElementById("wanted");
  const nothing = document.getElementById("nothing");
  const rules = [...document.querySelectorAll("section.rule")];
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let left = 0;
    for (const rule of rules) {
      const named = rule.querySelector("h3").textContent.toLowerCase().includes(wanted);
      let shown = named;
      for (const row of rule.querySelectorAll("tr.at")) {
        const next = row.nextElementSibling;
        const says = next && next.classList.contains("says") ? next : null;
        const text = (row.textContent + " " + (says ? says.textContent : "")).toLowerCase();
        const hit = named || text.includes(wanted);
        row.hidden = !hit;
        if (says) says.hidden = !hit;
        shown = shown || hit;
      }
      rule.hidden = !shown;
      left += shown ? 1 : 0;
    }
    nothing.hidden = left > 0;
  });
}
