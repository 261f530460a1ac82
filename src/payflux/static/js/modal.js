// A notice that waits for an answer takes the screen; without scripts it stands on the page. Escape is "not now".

for (const dialog of document.querySelectorAll("dialog[open]")) {
  dialog.close();
  dialog.showModal();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dialog.querySelector("form").requestSubmit(dialog.querySelector("[data-later]"));
  });
}
