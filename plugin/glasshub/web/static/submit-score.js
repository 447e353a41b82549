// Checks a score while it is filled in. Without JavaScript the button "Check" does the same.
for (const form of document.querySelectorAll("form[data-check]")) {
  const address = form.getAttribute("data-check"); // form.dataset is the field of that name
  const preview = document.getElementById("preview");
  const touched = new Set();
  let waiting = 0;
  let running = null;

  const showError = (name, message) => {
    const input = form.elements[name];
    if (!(input instanceof HTMLElement) || input.type === "hidden") return;
    const id = `${name}-error`;
    let line = document.getElementById(id);
    if (!message) {
      line?.remove();
      input.removeAttribute("aria-invalid");
    } else {
      if (!line) {
        line = document.createElement("p");
        line.id = id;
        line.className = "field-error";
        input.closest(".field").append(line);
      }
      if (line.textContent !== message) line.textContent = message;
      input.setAttribute("aria-invalid", "true");
    }
    const hint = document.getElementById(`${name}-hint`) ? `${name}-hint ` : "";
    const described = hint + (message ? id : "");
    if (described) input.setAttribute("aria-describedby", described.trim());
    else input.removeAttribute("aria-describedby");
  };

  const check = async () => {
    running?.abort();
    running = new AbortController();
    let found;
    try {
      const answer = await fetch(address, { method: "POST", body: new FormData(form), signal: running.signal });
      if (!answer.ok) return;
      found = await answer.json();
    } catch {
      return; // aborted, or no connection: submitting says what is wrong
    }
    for (const name of touched) showError(name, found.errors[name]);
    preview.innerHTML = found.preview; // made by the hub's own templates, which escape what people typed
    const hint = document.getElementById("title-hint");
    if (hint) hint.textContent = `Left empty: ${found.title}`;
  };

  form.addEventListener("input", (event) => {
    if (event.target.name) touched.add(event.target.name);
    clearTimeout(waiting);
    waiting = setTimeout(check, 350);
  });
}
