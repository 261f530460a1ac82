// Shows each time in the reader's zone, the zone named; UTC stays as the tooltip.

const format = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang, {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});

function tell() {
  for (const time of document.querySelectorAll("time[data-local]")) {
    if (time.title) continue; // told already
    time.title = time.textContent;
    time.textContent = format.format(new Date(time.dateTime));
  }
}

tell();
document.addEventListener("payflux:taken", tell);
