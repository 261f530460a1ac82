// Shows each page as it is read, and the answer once it is there. Without it the page is reloaded every two seconds.

const root = document.querySelector("[data-scan]");
const list = root.querySelector("[data-pages]");
const bar = root.querySelector("progress");
const PAUSE = 600;
const SLOW = 3000;

function show({ pages_read: pages }) {
  const known = list.children.length;
  for (const url of pages.slice(known)) {
    const item = document.createElement("li");
    item.textContent = url;
    list.append(item);
  }
  bar.value = pages.length;
}

async function look() {
  let pause = PAUSE;
  try {
    const answer = await fetch(root.dataset.scan, { headers: { accept: "application/json" } });
    if (answer.status === 404) return location.reload();
    const state = await answer.json();
    show(state);
    if (state.over) return location.reload();
  } catch {
    pause = SLOW; // offline for now: the next round asks again
  }
  setTimeout(look, pause);
}

look();
