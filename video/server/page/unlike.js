// The moments of a film that are unlike those just before: a curve and a table.
import { $, askOn, busy, clock, drawn, droppable, make, say, send } from "./ask.js";

const LEAST = { cosine: 0.5, euclidian: 0.7 };  // so that a film in which nothing changes has a flat curve
const WIDTH = 800, HEIGHT = 180, EDGE = 8;
const FEW = 5;
const BY = { caption: "문장", features: "화면" };

// Where a moment lies in the drawing: x by its time, y by how unlike it is.
function places(moments, least, key) {
  const last = Math.max(1e-9, moments[moments.length - 1].time);
  const most = Math.max(least, ...moments.map(m => m[key]));
  return moments.map(m => [EDGE + (WIDTH - 2 * EDGE) * m.time / last, HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * m[key] / most]);
}

function line(at, colour, width) {
  const points = at.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return drawn("polyline", { points, fill: "none", stroke: colour, "stroke-width": width, "vector-effect": "non-scaling-stroke" });
}

function chart(moments, metric, peaks) {
  const least = LEAST[metric] || 1e-9;
  const said = places(moments, least, "dissimilarity"), seen = places(moments, least, "visual_dissimilarity");
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "바로 앞과 얼마나 다른지" });
  svg.append(line(seen, "#8c93a3", 1.5), line(said, "#1a4fd0", 2.5));
  for (const peak of peaks) {
    const at = moments.findIndex(m => m.time === peak.time);
    if (at < 0) continue;
    const [cx, cy] = (peak.by === "caption" ? said : seen)[at];
    svg.append(drawn("circle", { cx, cy, r: 5, fill: "#b3261e" }));
  }
  lookAround(svg, moments, said);
  $("curve").replaceChildren(svg);
  $("chart").hidden = false;
}

// A line that follows pointer or slider, and the sentence there.
function lookAround(svg, moments, said) {
  const slider = $("moment"), mark = drawn("line", { y1: 0, y2: HEIGHT, stroke: "#b3261e", "vector-effect": "non-scaling-stroke" });
  svg.append(mark);
  const show = () => {
    const at = moments[slider.value], x = said[slider.value][0];
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    const told = `${clock(at.time)} ${at.caption} (문장 ${at.dissimilarity.toFixed(2)}, 화면 ${at.visual_dissimilarity.toFixed(2)})`;
    $("there").textContent = told;
    slider.setAttribute("aria-valuetext", told);
  };
  slider.max = moments.length - 1;
  slider.value = 0;
  slider.oninput = show;
  svg.onpointermove = event => {
    const box = svg.getBoundingClientRect(), x = WIDTH * (event.clientX - box.left) / box.width;
    const far = said.map(([there]) => Math.abs(there - x));
    slider.value = far.indexOf(Math.min(...far));
    show();
  };
  show();
}

// Where nothing stands out, the highest moments after the first.
function highest(moments) {
  const all = moments.map((m, i) => ({ ...m, by: "caption", score: m.dissimilarity, before: (moments[i - 1] || m).caption }));
  return all.slice(1).sort((a, b) => b.score - a.score).slice(0, FEW);
}

function table(peaks) {
  const most = [...peaks].sort((a, b) => b.score - a.score);
  $("moments").querySelector("tbody").replaceChildren(...most.map(peak => {
    const row = make("tr");
    row.append(make("td", clock(peak.time)), make("td", peak.caption), make("td", peak.before), make("td", `${BY[peak.by]} ${peak.score.toFixed(2)}`));
    return row;
  }));
  $("moments").hidden = !peaks.length;
}

async function whole(answer, state) {
  if (answer.captions) return answer;
  const told = error => say(state, error.message, true);
  let job = answer;
  $("chart").hidden = $("moments").hidden = true;
  while (["waiting", "working"].includes(job.state)) {
    say(state, `보는 중 ${Math.round(100 * job.share)}%`);
    await new Promise(resolve => setTimeout(resolve, 1000));
    job = await askOn(`/jobs/${job.id}`, told);
  }
  if (job.state !== "done") throw new Error(job.error || "그만두었습니다.");
  return askOn(`/jobs/${job.id}/files/moments`, told);
}

function show(found) {
  chart(found.captions, found.metric, found.peaks);
  table(found.peaks.length ? found.peaks : highest(found.captions));
  say($("unlike-state"), `순간 ${found.captions.length}개를 보았고, ${found.peaks.length}개가 두드러집니다.`);
}

// A job of before.
export async function reopen(id) {
  try {
    const told = error => say($("unlike-state"), error.message, true);
    show(await whole(await askOn(`/jobs/${id}`, told), $("unlike-state")));
  } catch (error) {
    say($("unlike-state"), error.message, true);
  }
}

export function begin() {
  const form = $("unlike-form"), state = $("unlike-state");
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "보는 중");
      show(await whole(await send("/get_video_captions", new FormData(form), () => {}), state));
    });
  };
}
