// Sends files with their progress. Without it, the form is sent as any other.

const form = document.querySelector("[data-upload]");

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
    say(loaded < total ? `${Math.floor((100 * loaded) / total)} % sent.` : "Sent. Reading the rows, about 10,000 a second…");
    if (loaded === total) bar.removeAttribute("value");
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(new URL("/sources#imports", location.href));
      location.reload();
      return;
    }
    const alert = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[role=alert] li, main p");
    fail(alert ? alert.textContent.trim() : "The files were not read. Nothing was changed; try again.");
  });
  request.addEventListener("error", () => fail("The connection broke off. Nothing was changed; try again."));
  bar.hidden = false;
  button.disabled = true;
  request.open("POST", form.action);
  request.send(new FormData(form));
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...form.elements.file.files];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (!files.length) say("Choose a file first.");
  else if (size > Number(form.dataset.largest)) say("These files are larger than 64 MB together. Import them one by one, or by month.");
  else send();
});
