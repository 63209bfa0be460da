// Fetches the chart anew without a reload: what one reads, and where, stays. The page works without this script.
"use strict";

const button = document.getElementById("refresh");
const said = document.getElementById("refresh-said");

async function refresh() {
  button.disabled = true;
  said.textContent = "";
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = document.querySelector(".trend-table")?.open;
    for (const id of ["chart", "seen"]) {
      document.getElementById(id).replaceWith(document.adoptNode(fresh.getElementById(id)));
    }
    if (open) document.querySelector(".trend-table").open = true;
    readOutTrends();
  } catch {
    said.textContent = said.dataset.failed;
  } finally {
    button.disabled = false;
  }
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", refresh);
}
