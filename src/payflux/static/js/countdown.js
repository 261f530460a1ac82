// Counts down on a button that may be pressed again after data-wait seconds; without scripts the server says how long.

for (const button of document.querySelectorAll("[data-wait]")) {
  const words = button.textContent;
  const until = Date.now() + Number(button.dataset.wait) * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace("{seconds}", left) : words;
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}
