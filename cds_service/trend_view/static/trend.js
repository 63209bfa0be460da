// Reads the drawing out by pointer and keys: a comfort, everything it says stands in the table too.
"use strict";

function readOutTrends() {
  for (const plot of document.querySelectorAll(".trend-plot")) {
    const readout = plot.parentElement.querySelector(".trend-readout");
    const charts = [...plot.querySelectorAll(".mark-symbol")].map((group) => [
      ...group.querySelectorAll('[aria-roledescription="point"]'),
    ]);
    const rows = charts.filter((points) => points.length > 0);
    let at = null;

    function middle(point) {
      const box = point.getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    }

    function show(point) {
      at?.classList.remove("at");
      at = point;
      at?.classList.add("at");
      readout.textContent = at ? at.getAttribute("aria-label") : readout.dataset.empty;
    }

    function nearest(points, x, y) {
      let best = null;
      let least = Infinity;
      for (const point of points) {
        const there = middle(point);
        const far = Math.hypot(there.x - x, y === null ? 0 : there.y - y);
        if (far < least) [best, least] = [point, far];
      }
      return { point: best, far: least };
    }

    plot.addEventListener("pointermove", (event) => {
      const found = nearest(rows.flat(), event.clientX, event.clientY);
      if (found.far < 28 && found.point !== at) show(found.point);
    });

    plot.addEventListener("focus", () => {
      if (!at && rows.length) show(rows[0].at(-1));
    });
    plot.addEventListener("blur", () => show(null));

    plot.addEventListener("keydown", (event) => {
      if (!rows.length) return;
      const row = Math.max(0, rows.findIndex((points) => points.includes(at)));
      const column = rows[row].indexOf(at);
      const last = rows[row].length - 1;
      const moves = {
        ArrowLeft: () => rows[row][Math.max(0, column - 1)],
        ArrowRight: () => rows[row][Math.min(last, column + 1)],
        Home: () => rows[row][0],
        End: () => rows[row][last],
        ArrowUp: () => nearest(rows[Math.max(0, row - 1)], middle(at).x, null).point,
        ArrowDown: () => nearest(rows[Math.min(rows.length - 1, row + 1)], middle(at).x, null).point,
      };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      show(move());
    });
  }
}

readOutTrends();
