// Closes the open menu on Escape, giving the focus back, and on a click elsewhere.

const menu = document.querySelector("[data-menu]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  if (!menu.contains(event.target)) menu.open = false;
});
