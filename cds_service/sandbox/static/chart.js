// Comforts only: the page works without this script. Finds patients by text, and keeps the open one in sight.
"use strict";

const box = document.querySelector(".filter");
const field = document.getElementById("filter");
const counted = document.querySelector(".filter-count");
const groups = [...document.querySelectorAll(".group")];

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of groups) {
    let inGroup = 0;
    for (const item of group.querySelectorAll("li")) {
      item.hidden = !words.every((word) => item.dataset.text.includes(word));
      inGroup += item.hidden ? 0 : 1;
    }
    group.hidden = inGroup === 0;
    found += inGroup;
  }
  counted.textContent = words.length ? `${found} found` : "";
}

box.hidden = false;
field.addEventListener("input", show);
const current = document.querySelector(".patients [aria-current]");
const list = document.querySelector(".patients");
if (current && list.scrollHeight > list.clientHeight) {
  list.scrollTop = current.offsetTop - list.clientHeight / 3;
}
// After feedback the page comes back with the card's address: put the reader where they were.
if (location.hash.startsWith("#card-")) {
  document.getElementById(location.hash.slice(1))?.focus({ preventScroll: true });
}

// A file dropped on the import form is as good as one chosen there.
const form = document.querySelector(".import");
if (form) {
  form.querySelector(".drop-hint").hidden = false;
  const mark = (over) => form.classList.toggle("over", over);
  form.addEventListener("dragover", (event) => { event.preventDefault(); mark(true); });
  form.addEventListener("dragleave", () => mark(false));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (!event.dataTransfer.files.length) return;
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = "Copied";
  });
}
