// Fetches the chart anew without a reload: what one reads, and where, stays. The page works without this script.
"use strict";

const button = document.getElementById("refresh");
const said = document.getElementById("refresh-said");
let busy = false;

function replaceChart(fresh) {
  const opened = [...document.querySelectorAll("#chart details")].map((one) => one.open);
  const wanted = document.querySelector("#chart .at")?.getAttribute("aria-label");
  const focused = document.activeElement?.closest(".trend-plot") ? document.activeElement.classList[1] : null;
  document.getElementById("chart").replaceWith(document.adoptNode(fresh.getElementById("chart")));
  document.querySelectorAll("#chart details").forEach((one, index) => (one.open = opened[index] ?? one.open));
  const readout = document.querySelector(".trend-readout");
  if (readout && wanted) readout.dataset.wanted = wanted;
  readOutTrends();
  if (focused) document.querySelector(`.trend-plot.${focused}`)?.focus({ preventScroll: true });
}

async function refresh() {
  if (busy) return;
  busy = true;
  button.setAttribute("aria-disabled", "true");
  said.textContent = "";
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) {
      said.textContent = [fresh.querySelector(".trouble p")?.textContent, said.dataset.failed].filter(Boolean).join(" ");
      return;
    }
    replaceChart(fresh);
    document.getElementById("seen").textContent = fresh.getElementById("seen").textContent;
  } catch {
    said.textContent = said.dataset.failed;
  } finally {
    button.removeAttribute("aria-disabled");
    busy = false;
  }
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", refresh);
}
