// One page, six parts; the address after # says which is shown.
import { begin as about } from "./about.js";
import { $, say } from "./ask.js";
import { begin as film, follow, list } from "./film.js";
import { begin as group } from "./group.js";
import { begin as photo } from "./photo.js";
import { begin as search } from "./search.js";
import { begin as unlike, reopen } from "./unlike.js";

const PARTS = ["film", "photo", "search", "group", "unlike", "about"];

let shown = PARTS[0];

function turn() {
  const [asked, job, at] = location.hash.slice(1).split("/");
  const part = shown = PARTS.includes(asked) ? asked : shown; // #main is a place in each
  for (const name of PARTS) $(name).hidden = name !== part;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (part === "film" && job) follow(job, Number(at) || 0);
  if (part === "unlike" && job) reopen(job);
}

addEventListener("hashchange", turn);
turn();
for (const begin of [film, photo, search, group, unlike]) begin();
about().catch(error => say($("job-state"), error.message, true));
addEventListener("focus", () => list().catch(() => {}));
