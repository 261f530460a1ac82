// Reads a chart point by point: with the pointer on it, or with a slider below it that the arrow keys move.

const SVG = "http://www.w3.org/2000/svg";
const THUMB = 16; // pixels, as the style sheet draws it

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const words = ({ label, value, low, high, reference }) =>
  `${label}: ${value}${low ? ` (80 %: ${low} – ${high})` : ""}${reference ? `. ${reference}` : ""}`;

function equip(plot, readout, name) {
  const svg = plot.querySelector("svg.chart");
  const points = [...svg.querySelectorAll(".chart-hit")];
  if (points.length < 2) return;
  const bottom = Number(points[0].getAttribute("y")) + Number(points[0].getAttribute("height"));
  const line = make("line", { class: "chart-cursor", y2: bottom, visibility: "hidden" });
  const dot = make("circle", { class: "chart-cursor-dot", r: 6, visibility: "hidden" });
  points[0].before(line, dot);

  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: points.length - 1, step: 1, className: "plot__slider" });
  slider.value = points.length - 1;
  slider.setAttribute("aria-label", name.replace("{title}", svg.querySelector("title").textContent));
  slider.setAttribute("aria-valuetext", words(points.at(-1).dataset));
  const share = (x) => (x / svg.viewBox.baseVal.width) * 100;
  const from = share(points[0].dataset.x);
  slider.style.marginLeft = `calc(${from}% - ${THUMB / 2}px)`;
  slider.style.width = `calc(${share(points.at(-1).dataset.x) - from}% + ${THUMB}px)`;
  plot.append(slider);

  function show(index) {
    const { dataset } = points[index];
    for (const [key, value] of [["x1", dataset.x], ["x2", dataset.x], ["y1", dataset.y]]) line.setAttribute(key, value);
    dot.setAttribute("cx", dataset.x);
    dot.setAttribute("cy", dataset.y);
    for (const mark of [line, dot]) mark.setAttribute("visibility", "visible");
    readout.textContent = words(dataset);
    slider.value = index;
    slider.setAttribute("aria-valuetext", words(dataset));
  }

  slider.addEventListener("input", () => show(Number(slider.value)));
  points.forEach((point, index) => {
    point.querySelector("title").remove();
    point.addEventListener("pointerenter", () => show(index));
  });
}

function equipAll() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const readout = figure.querySelector("[data-readout]");
    for (const plot of figure.querySelectorAll("[data-plot]")) equip(plot, readout, figure.dataset.chart);
  }
}

equipAll();
document.addEventListener("payflux:taken", equipAll);
