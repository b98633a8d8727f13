// Sketches of the external pages that show a value. Drawn from a few words, so that they are small and follow the theme.

import { t } from "./texts.js";

const NS = "http://www.w3.org/2000/svg";

function shape(tag, attributes, text) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

/** A window with a menu, a title and rows of label and value. A third word marks a row with what to do there. */
export function drawing({ title, rows, alt }) {
  const height = 52 + rows.length * 44;
  const svg = shape("svg", { viewBox: `0 0 340 ${height}`, role: "img", class: "sketch" });
  svg.append(shape("title", {}, `${t.settings.sketch}: ${alt}`));
  const box = (x, y, width, high, kind, rx = 4) => svg.append(shape("rect", { x, y, width, height: high, rx, class: kind }));
  const word = (x, y, text, kind) => svg.append(shape("text", { x, y, class: kind }, text));
  box(1, 1, 338, height - 2, "window", 8);
  for (const x of [12, 21, 30]) svg.append(shape("circle", { cx: x, cy: 12, r: 2.5, class: "dim" }));
  svg.append(shape("path", { d: `M1 23H339M66 23V${height - 1}`, class: "rule" }));
  for (let y = 34; y < height - 14; y += 15) box(11, y, y === 49 ? 44 : 34, 5, y === 49 ? "lit" : "dim", 2);
  word(78, 42, title, "title");
  rows.forEach(([label, value, act], index) => {
    const y = 60 + index * 44;
    word(78, y, label, "label");
    box(78, y + 5, 168, 20, act ? "field lit" : "field");
    word(84, y + 19, value, "value");
    if (!act) return;
    box(252, y + 6, 78, 18, "tag", 9);
    word(291, y + 18.5, act, "act");
  });
  return svg;
}
