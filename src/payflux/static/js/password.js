// Shows and hides a password, and says while typing whether it is long enough.

for (const button of document.querySelectorAll("[data-password-toggle]")) {
  const input = document.getElementById(button.dataset.passwordToggle);
  const word = button.firstChild;
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    word.textContent = shown ? button.dataset.show : button.dataset.hide;
  });
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

for (const input of document.querySelectorAll("[data-password-length]")) {
  const least = Number(input.dataset.passwordLength);
  const hint = document.getElementById(`${input.id}-hint`);
  const advice = hint.textContent;
  const said = input.dataset;
  const announcer = document.createElement("p");
  announcer.className = "visually-hidden";
  announcer.setAttribute("role", "status");
  hint.after(announcer);
  input.addEventListener("input", () => {
    const length = [...input.value].length;
    const met = length >= least;
    if (met !== (hint.dataset.met === "true")) announcer.textContent = met ? said.enough : said.short;
    hint.dataset.met = met;
    const words = met ? said.met.replace("{length}", length) : said.lacking.replace("{left}", least - length);
    hint.textContent = length === 0 ? advice : words;
  });
}
