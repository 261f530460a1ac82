// Counts up from the moment in data-clock, an ISO time.

const element = document.querySelector("[data-clock]");
const start = Date.parse(element.dataset.clock);
const whole = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "day", unitDisplay: "long" });
const two = (number) => String(number).padStart(2, "0");

function tick() {
  const seconds = Math.max(0, Math.floor((Date.now() - start) / 1000));
  const days = Math.floor(seconds / 86400);
  const clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map((part) => two(Math.floor(part))).join(":");
  element.textContent = days ? `${whole.format(days)} ${clock}` : clock;
}

tick();
setInterval(tick, 1000);
