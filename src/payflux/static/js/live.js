// Shows what is newer by itself: asks for the page's version while somebody looks, and takes the page anew, or the part
// of it that says it is live.

const PAUSE = 5000;

const here = () => document.querySelector("[data-live]");

/** Whether somebody is filling in a form that would be taken anew: what they typed is not taken from them. */
const busy = () => {
  const taken = here().closest("[data-live-part], #main");
  return taken.querySelector("form :focus, dialog[open]") !== null;
};

async function take() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#main");
  if (!answer.ok || answer.redirected || !fresh?.querySelector("[data-live]")) return location.reload();
  const part = here().closest("[data-live-part]");
  const main = part ?? document.querySelector("#main");
  const newer = part ? fresh.querySelector("[data-live-part]") : fresh;
  const open = new Set([...main.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent));
  for (const summary of newer.querySelectorAll("summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  main.replaceChildren(...newer.childNodes);
  const status = here().querySelector("[role=status]");
  status.textContent = status.dataset.words;
  document.dispatchEvent(new Event("payflux:taken"));
}

async function look() {
  try {
    if (document.visibilityState === "visible" && !busy()) {
      const answer = await fetch(here().dataset.version, { headers: { accept: "application/json" } });
      if ([401, 402, 403].includes(answer.status)) return location.reload();
      if (answer.ok && (await answer.json()).version !== here().dataset.live) await take();
    }
  } catch {
    // offline for now: the next round asks again
  }
  setTimeout(look, PAUSE);
}

setTimeout(look, PAUSE);
