// Shows what the chosen plan and seats cost, and keeps the seats within what the plan has.

const form = document.querySelector("[data-picker]");
const words = form.dataset;
const seats = form.elements.seats;
const total = form.querySelector("[data-total]");
const reach = form.querySelector("[data-reach]");

const priced = (cents) =>
  new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", minimumFractionDigits: cents % 100 ? 2 : 0 }).format(cents / 100);

const show = () => {
  const plan = form.querySelector("input[name=plan]:checked");
  if (!plan) return;
  const { cents, most, name } = plan.dataset;
  seats.max = most;
  reach.textContent = words.reaches.replace("{name}", name).replace("{most}", most);
  const count = Number(seats.value);
  const fits = Number.isInteger(count) && count >= Number(seats.min) && count <= Number(most);
  total.textContent = fits
    ? (count === 1 ? words.one : words.several).replace("{price}", priced(cents * count)).replace("{seats}", count)
    : words.beyond.replace("{least}", seats.min).replace("{most}", most);
};

form.addEventListener("input", show);
show();
