// Sends files with their progress. Without it, the form is sent as any other.

const form = document.querySelector("[data-upload]");
const words = form?.dataset;

function say(text) {
  form.querySelector("[data-upload-status]").textContent = text;
}

function send() {
  const bar = form.querySelector("[data-upload-progress]");
  const button = form.querySelector("button");
  const request = new XMLHttpRequest();
  const fail = (text) => {
    say(text);
    bar.hidden = true;
    button.disabled = false;
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    say(loaded < total ? words.sent.replace("{share}", Math.floor((100 * loaded) / total)) : words.reading);
    if (loaded === total) bar.removeAttribute("value");
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(new URL("/sources#imports", location.href));
      location.reload();
      return;
    }
    const alert = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[role=alert] li, main p");
    fail(alert ? alert.textContent.trim() : words.unread);
  });
  request.addEventListener("error", () => fail(words.broken));
  bar.hidden = false;
  button.disabled = true;
  request.open("POST", form.action);
  request.send(new FormData(form));
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...form.elements.file.files];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (!files.length) say(words.none);
  else if (size > Number(form.dataset.largest)) say(words.tooLarge);
  else send();
});
