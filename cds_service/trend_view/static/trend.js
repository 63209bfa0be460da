// Reads the drawing out by pointer and keys: a comfort, everything it says stands in the table too.
"use strict";

const NEAR = 28;

function readOutTrends() {
  for (const plot of document.querySelectorAll(".trend-plot")) {
    const readout = plot.parentElement.querySelector(".trend-readout");
    const points = [...plot.querySelectorAll(".mark-symbol")].map((group) => [
      ...group.querySelectorAll('[aria-roledescription="point"]'),
    ]);
    const spans = [...plot.querySelectorAll('[aria-roledescription="rule mark"]')].map((span) => [span]);
    const rows = [...points.filter((row) => row.length > 0), ...spans];
    let at = null;

    function middle(mark) {
      const box = mark.getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    }

    // From a place to a mark's box; without `y`, along the time axis to its middle.
    function distance(mark, x, y) {
      if (y === null) return Math.abs(middle(mark).x - x);
      const box = mark.getBoundingClientRect();
      const dx = Math.max(box.left - x, 0, x - box.right);
      const dy = Math.max(box.top - y, 0, y - box.bottom);
      return mark.matches("line") ? Math.hypot(dx, dy) : Math.hypot(middle(mark).x - x, middle(mark).y - y);
    }

    function show(mark) {
      at?.classList.remove("at");
      at = mark;
      at?.classList.add("at");
      readout.textContent = at ? at.getAttribute("aria-label") : readout.dataset.empty;
    }

    function nearest(marks, x, y) {
      let best = null;
      let least = Infinity;
      for (const mark of marks) {
        const far = distance(mark, x, y);
        if (far < least) [best, least] = [mark, far];
      }
      return { mark: best, far: least };
    }

    let waiting = null;
    plot.addEventListener("pointermove", (event) => {
      if (!waiting) {
        requestAnimationFrame(() => {
          const found = nearest(rows.flat(), waiting.clientX, waiting.clientY);
          if (found.far < NEAR && found.mark !== at) show(found.mark);
          waiting = null;
        });
      }
      waiting = event;
    });

    plot.addEventListener("focus", () => {
      if (!at && rows.length) show(rows[0].at(-1));
    });
    plot.addEventListener("blur", () => show(null));

    plot.addEventListener("keydown", (event) => {
      if (!rows.length || event.altKey || event.ctrlKey || event.metaKey) return;
      const row = Math.max(0, rows.findIndex((marks) => marks.includes(at)));
      const column = rows[row].indexOf(at);
      const last = rows[row].length - 1;
      const moves = {
        ArrowLeft: () => rows[row][Math.max(0, column - 1)],
        ArrowRight: () => rows[row][Math.min(last, column + 1)],
        Home: () => rows[row][0],
        End: () => rows[row][last],
        ArrowUp: () => nearest(rows[Math.max(0, row - 1)], middle(at).x, null).mark,
        ArrowDown: () => nearest(rows[Math.min(rows.length - 1, row + 1)], middle(at).x, null).mark,
        Escape: () => null,
      };
      const move = moves[event.key];
      if (!move || (!at && event.key !== "Home" && event.key !== "End")) return;
      event.preventDefault();
      show(move());
    });

    // After a refresh: what was read out is read out again, in the drawing one sees.
    const wanted = readout.dataset.wanted;
    const again = wanted && plot.offsetParent && rows.flat().find((mark) => mark.getAttribute("aria-label") === wanted);
    if (again) show(again);
  }
}

readOutTrends();

// On paper the table is always there, in browsers whose style sheets can't say so, too.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll(".trend-table:not([open])")];
  for (const table of opened) table.open = true;
});
addEventListener("afterprint", () => {
  for (const table of opened) table.open = false;
});
