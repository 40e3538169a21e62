"use strict";
// The page is complete without this script. It adds tables that sort and filter, copy buttons, and steps that stay checked.
// It creates elements and text only, and never parses text as markup.
(() => {
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // Copying. A page opened from a file may not use the clipboard, so there is a fallback.
  const copied = (text) => {
    const area = make("textarea", { value: text, className: "away" });
    area.setAttribute("readonly", "");
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copied(text);
    }
  };
  for (const block of document.querySelectorAll("[data-copy]")) {
    const button = make("button", { type: "button", className: "copy" }, "Copy");
    const frame = make("div", { className: "copyable" });
    button.setAttribute("aria-label", block.dataset.copy ? "Copy " + block.dataset.copy : "Copy");
    button.addEventListener("click", async () => {
      const done = await copy(block.textContent);
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      button.focus();
      if (!done) {
        getSelection().selectAllChildren(block);
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.replaceWith(frame);
    frame.append(block, button);
    // A block that scrolls must be reachable by keyboard.
    block.tabIndex = 0;
  }

  // Steps stay checked for this report only: its fingerprint is the key.
  const boxes = [...document.querySelectorAll("[data-step]")];
  const key = "migsift-" + (document.querySelector("[data-plan]")?.dataset.plan ?? "");
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? [];
    } catch {
      return [];
    }
  };
  const progress = document.querySelector("[data-progress]");
  const showProgress = () => {
    const done = boxes.filter((box) => box.checked).length;
    progress.textContent = `${done} of ${boxes.length} done`;
  };
  if (boxes.length > 0 && progress) {
    const checked = new Set(stored());
    for (const box of boxes) {
      box.checked = checked.has(box.dataset.step);
      box.addEventListener("change", () => {
        showProgress();
        try {
          const done = boxes.filter((box) => box.checked).map((box) => box.dataset.step);
          localStorage.setItem(key, JSON.stringify(done));
        } catch {
          // Without storage the steps stay checked until the page is closed.
        }
      });
    }
    progress.hidden = false;
    showProgress();
  }

  // Tables.
  const cellKey = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  const compare = {
    number: (a, b) => Number(a) - Number(b),
    text: (a, b) => a.localeCompare(b, "en", { numeric: true }),
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.dataset.sort) {
        return;
      }
      const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) {
          other.removeAttribute("aria-sort");
        }
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const order = compare[head.dataset.sort];
        const keyed = [...body.rows].map((row) => [cellKey(row, column), row]);
        // Empty cells come last in both directions.
        keyed.sort(([a], [b]) => (a === "") - (b === "") || (down ? order(b, a) : order(a, b)));
        body.append(...keyed.map(([, row]) => row));
      });
    });
  };
  const filterable = (table) => {
    const body = table.tBodies[0];
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const select = make("select", {});
    const output = make("output", {});
    const texts = new Map([...body.rows].map((row) => [row, row.textContent.toLowerCase()]));
    const severity = (row) => row.cells[0].textContent.trim();
    for (const name of ["all", ...new Set([...body.rows].map(severity))]) {
      select.append(make("option", { value: name === "all" ? "" : name }, name));
    }
    const update = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [row, text] of texts) {
        const fits = words.every((word) => text.includes(word)) && (!select.value || severity(row) === select.value);
        row.hidden = !fits;
        shown += fits;
      }
      output.textContent = `${shown} of ${texts.size} rows`;
    };
    input.addEventListener("input", update);
    select.addEventListener("change", update);
    update();
    const filter = make("div", { className: "filter" },
      make("label", {}, "Filter ", input), make("label", {}, "Severity ", select), output);
    table.parentElement.before(filter);
  };
  for (const table of document.querySelectorAll("table[data-table]")) {
    sortable(table);
    filterable(table);
  }
})();
