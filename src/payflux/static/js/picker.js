// Shows what the chosen plan and seats cost, and keeps the seats within what the plan has.

const form = document.querySelector("[data-picker]");
const seats = form.elements.seats;
const total = form.querySelector("[data-total]");
const most = form.querySelector("span[data-most]");

const priced = (cents) =>
  new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: cents % 100 ? 2 : 0 }).format(cents / 100);

const show = () => {
  const plan = form.querySelector("input[name=plan]:checked");
  if (!plan || !total) return;
  seats.max = plan.dataset.most;
  most.textContent = plan.dataset.most;
  most.previousSibling.textContent = most.previousSibling.textContent.replace(/, .* has/, `, ${form.querySelector(`label[for="${plan.id}"] strong`).textContent} has`);
  const count = Number(seats.value);
  const fits = Number.isInteger(count) && count >= Number(seats.min) && count <= Number(seats.max);
  total.textContent = fits
    ? `${priced(plan.dataset.cents * count)} USD a month for ${count} ${count === 1 ? "seat" : "seats"}`
    : `${seats.min} to ${seats.max} seats`;
};

form.addEventListener("input", show);
show();
