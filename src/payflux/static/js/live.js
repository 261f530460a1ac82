// Shows a newer reading or alert by itself: asks for the page's version while somebody looks, and takes the page anew.

const PAUSE = 5000;

const here = () => document.querySelector("[data-live]");

/** Whether somebody is filling in a form: what they typed is not taken from them. */
const busy = () => document.querySelector("#main form :focus, #main dialog[open]") !== null;

async function take() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#main");
  if (!answer.ok || answer.redirected || !fresh?.querySelector("[data-live]")) return location.reload();
  const main = document.querySelector("#main");
  const open = new Set([...main.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent));
  for (const summary of fresh.querySelectorAll("summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  main.replaceChildren(...fresh.childNodes);
  const status = here().querySelector("[role=status]");
  status.textContent = status.dataset.words;
  document.dispatchEvent(new Event("payflux:taken"));
}

async function look() {
  try {
    if (document.visibilityState === "visible" && !busy()) {
      const answer = await fetch("/dashboard/version", { headers: { accept: "application/json" } });
      if ([401, 402, 403].includes(answer.status)) return location.reload();
      if (answer.ok && (await answer.json()).version !== here().dataset.live) await take();
    }
  } catch {
    // offline for now: the next round asks again
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
