// Shows what the chosen plan and seats cost, and keeps the seats within what the plan has.

const form = document.querySelector("[data-picker]");
const seats = form.elements.seats;
const total = form.querySelector("[data-total]");
const reach = form.querySelector("[data-reach]");

const priced = (cents) =>
  new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: cents % 100 ? 2 : 0 }).format(cents / 100);

const show = () => {
  const plan = form.querySelector("input[name=plan]:checked");
  if (!plan) return;
  const { cents, most, name } = plan.dataset;
  seats.max = most;
  reach.textContent = `${name} has up to ${most}.`;
  const count = Number(seats.value);
  const fits = Number.isInteger(count) && count >= Number(seats.min) && count <= Number(most);
  total.textContent = fits
    ? `${priced(cents * count)} USD a month for ${count} ${count === 1 ? "seat" : "seats"}`
    : `Choose ${seats.min} to ${most} seats`;
};

form.addEventListener("input", show);
show();
