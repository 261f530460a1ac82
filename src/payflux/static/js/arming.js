// Applies the server's progress to the page: by server-sent events, or by asking every two seconds when those fail.

const root = document.querySelector("[data-arming]");
const find = (name) => root.querySelector(`[data-${name}]`);
const arcs = document.querySelectorAll("[data-arc]");
const EVENTS = "/activate/arming/events";
const STATE = "/activate/arming/state";
const PAUSE = 2000;
const ATTEMPTS = 3;

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows one progress message; true when there is nothing more to wait for. */
function apply({ state, stages, done, slow, problem }) {
  if (state === "paid_unconnected" || (problem?.what_happened ?? "") !== root.dataset.problem) {
    location.reload(); // the server renders a problem with its way out, what comes after it, and where to connect anew
    return true;
  }
  if (problem) return false; // it is tried again by itself
  stages.forEach((stage, index) => {
    const item = root.querySelector(`[data-stage="${CSS.escape(stage.key)}"]`);
    item.dataset.state = stage.state;
    arcs[index].dataset.state = stage.state;
    write(item.querySelector("[data-state-word]"), `(${root.dataset[`word${stage.state[0].toUpperCase()}${stage.state.slice(1)}`]})`);
    write(item.querySelector("[data-detail]"), stage.detail);
    write(item.querySelector("[data-count]"), stage.count);
  });
  const finished = stages.filter((stage) => stage.state === "done").length;
  const said = find("status").dataset;
  write(find("status"), done ? said.done : said.some.replace("{finished}", finished).replace("{stages}", stages.length));
  find("slow").hidden = !slow || done;
  find("usual").hidden = slow || done;
  if (!done) return false;
  document.querySelector("[data-radar]").dataset.armed = "true";
  write(find("title"), find("title").dataset.doneTitle);
  find("lead").hidden = true;
  find("live").hidden = false;
  find("enter").hidden = false;
  find("cancel").hidden = true;
  document.title = document.title.replace(/^.*?(?= – )/, find("title").dataset.doneTitle.replace(/\.$/, ""));
  return true;
}

async function poll() {
  try {
    const answer = await fetch(STATE, { headers: { accept: "application/json" } });
    if (answer.ok && apply(await answer.json())) return;
    if (answer.status === 401) return location.reload();
  } catch {
    // offline for now: the next round asks again
  }
  setTimeout(poll, PAUSE);
}

function listen() {
  const source = new EventSource(EVENTS);
  let failures = 0;
  source.addEventListener("progress", (event) => {
    failures = 0;
    if (apply(JSON.parse(event.data))) source.close();
  });
  source.addEventListener("error", () => {
    failures += 1;
    if (source.readyState !== EventSource.CLOSED && failures < ATTEMPTS) return;
    source.close();
    poll();
  });
}

if (root.dataset.open === "true") listen();
