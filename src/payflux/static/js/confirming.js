// Asks our own state of billing until Stripe's word has changed it, then shows the page anew.

const EVERY = 2000;
const SLOW = 60_000;

// Beside what is confirmed already there is nothing to wait for; it is watched for a change that was made a moment ago.
const notice = document.querySelector("[data-confirming]");
const begun = Date.now();

const ask = async () => {
  try {
    const answer = await fetch("/api/v1/billing/state", { headers: { Accept: "application/json" } });
    const { subscription } = await answer.json();
    const { status, plan, seats } = notice.dataset;
    if (answer.ok && subscription && [subscription.status, subscription.plan, String(subscription.seat_limit ?? "")].join() !== [status, plan, seats].join()) {
      location.reload();
      return;
    }
  } catch {
    // the next try may reach the server
  }
  const slow = notice.querySelector("[data-slow]");
  if (slow) slow.hidden = Date.now() - begun < SLOW;
  if (slow || Date.now() - begun < SLOW) setTimeout(ask, EVERY);
};

ask();
