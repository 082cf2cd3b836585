// A film: sent, followed, played with its captions, edited, made again.
import { $, AGAIN_MS, ask, busy, clock, copies, droppable, isFinal, make, say, send, size } from "./ask.js";

const STATES = { waiting: "기다리는 중", working: "하는 중", done: "다 되었습니다", failed: "안 되었습니다", cancelled: "그만두었습니다" };
const TASKS = { caption: "자막", burn: "고친 자막", moments: "달라지는 순간" };
const NAMES = { film: "처음 영상", mp4: "MP4", gif: "GIF", jpg: "JPG", srt: "SRT", vtt: "VTT", ass: "ASS", json: "JSON", txt: "글", moments: "순간 (JSON)" };
const EVERY_MS = 700;
const FEW = 10;
let open = null, shown = null, timer = 0, most = FEW;  // asked for, and told of

const ended = job => !["waiting", "working"].includes(job.state);

function stage(job) {
  if (job.state === "waiting") return job.ahead ? `앞에 ${job.ahead}개가 있습니다` : STATES.waiting;
  if (job.state === "failed") return `${STATES.failed}: ${job.error}`;
  if (job.state !== "working") return STATES[job.state];
  const doing = job.stage === "looking" || !job.stage ? "보는 중" : `${NAMES[job.stage]} 쓰는 중`;
  return `${doing} ${Math.round(100 * job.share)}%`;
}

function show(job) {
  shown = job.id;
  $("job").hidden = false;
  $("job-name").textContent = job.name;
  say($("job-state"), stage(job), job.state === "failed");
  $("job-share").hidden = $("job-cancel").hidden = ended(job);
  $("again").disabled = !ended(job);
  if (job.state === "waiting") $("job-share").removeAttribute("value");
  else $("job-share").value = job.share;
}

function edited() {
  return !$("result").hidden && [...$("sentences").querySelectorAll("input")].some(text => text.value !== text.defaultValue);
}

export async function follow(id, at = 0) {
  if (id !== open) {
    if (edited() && !confirm("고친 문장을 버리고 다른 영상을 볼까요?")) {
      location.hash = `#film/${open}`;
      return;
    }
    $("result").hidden = true;
  }
  clearTimeout(timer);
  open = id;
  try {
    const job = await ask(`/jobs/${id}`);
    if (open !== id) return;
    show(job);
    if (!ended(job)) {
      timer = setTimeout(() => follow(id, at), EVERY_MS);
      return;
    }
    if (!edited()) await results(job);
    if (at) $("player").currentTime = at / 1000;
    list().catch(() => {});
  } catch (error) {
    if (open === id) missed(error, id, at);
  }
}

// The server does not answer, and may again in a moment; or there is no such job.
function missed(error, id, at) {
  $("job").hidden = false;
  say($("job-state"), error.message, true);
  clearTimeout(timer);
  if (!isFinal(error)) timer = setTimeout(() => follow(id, at), AGAIN_MS);
  if (!isFinal(error) && shown === id) return;
  $("job-name").textContent = "";
  $("result").hidden = $("job-share").hidden = $("job-cancel").hidden = true;
}

async function results(job) {
  const kinds = job.files.map(file => file.kind);
  $("film-tags").hidden = true;
  if (!kinds.includes("json")) { $("result").hidden = true; return; }
  const now = `?at=${Date.now()}`;
  const track = await ask(`/jobs/${job.id}/files/json${now}`);
  if (open !== job.id || edited()) return;
  $("result").hidden = false;
  $("again-style").value = job.style || "film";
  play(job, kinds, now);
  $("sentences").replaceChildren(...track.shots.map(row));
  $("files").replaceChildren(...job.files.filter(f => f.kind !== "film").map(file => {
    const item = make("li"), link = make("a", `${NAMES[file.kind]} (${size(file.bytes)})`);
    link.href = `${file.url}?download=true`;
    item.append(link);
    return item;
  }));
}

function play(job, kinds, now) {
  const player = $("player"), still = kinds.includes("jpg") || !kinds.includes("film");
  player.hidden = still;
  player.replaceChildren();
  if (still) { player.removeAttribute("src"); return; }
  // the film itself with a track that can be switched off; a format that the browser does not know
  // is shown with its captions burned in
  const burned = `/jobs/${job.id}/files/mp4${now}`;
  player.onerror = () => {
    player.onerror = null;
    if (kinds.includes("mp4")) { player.replaceChildren(); player.src = burned; }
    else player.hidden = true;
  };
  player.src = `/jobs/${job.id}/files/film${now}`;
  if (!kinds.includes("vtt")) return;
  const track = make("track", undefined, { kind: "captions", srclang: "ko", label: "자막", default: true });
  track.src = `/jobs/${job.id}/files/vtt${now}`;
  player.append(track);
}

function row(shot, index) {
  const line = make("tr"), when = make("td"), what = make("td");
  const go = make("button", clock(shot.start_ms / 1000), { type: "button" });
  go.setAttribute("aria-label", `${clock(shot.start_ms / 1000)}부터 보기`);
  go.onclick = () => { $("player").currentTime = shot.start_ms / 1000; $("player").play(); };
  const text = make("input", undefined, { defaultValue: shot.caption, maxLength: 1000 });
  text.setAttribute("aria-label", `${index + 1}번째 문장`);
  text.dataset.start = shot.start_ms;
  text.dataset.end = shot.end_ms;
  when.append(go);
  what.append(text);
  line.append(when, what);
  return line;
}

async function again() {
  const sent = [...$("sentences").querySelectorAll("input")];
  const shots = sent.map(text => ({
    start_ms: Number(text.dataset.start), end_ms: Number(text.dataset.end), caption: text.value,
  }));
  $("again").disabled = true;
  try {
    await ask(`/jobs/${open}/captions`, {
      method: "PUT", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ shots, style: $("again-style").value }),
    });
    sent.forEach((text, i) => { text.defaultValue = shots[i].caption; }); // not what was typed since
    await follow(open);
    $("job").scrollIntoView();
  } catch (error) {
    $("again").disabled = false;
    say($("job-state"), error.message, true);
    $("job").scrollIntoView();
  }
}

async function tags() {
  try {
    $("film-tag-line").value = (await ask(`/jobs/${open}/hashtags`)).line;
    $("film-tags").hidden = false;
  } catch (error) {
    say($("job-state"), error.message, true);
  }
}

export async function list() {
  const { jobs } = await ask("/jobs");
  $("more").hidden = jobs.length <= most;
  $("jobs").replaceChildren(...jobs.slice(0, most).map(job => {
    const item = make("li"), link = make("a", job.name), remove = make("button", "지우기", { type: "button", className: "plain" });
    link.href = job.task === "moments" ? `#unlike/${job.id}` : `#film/${job.id}`;
    remove.setAttribute("aria-label", `${job.name} 지우기`);
    remove.onclick = async () => {
      if (!confirm(`'${job.name}'와(과) 결과를 지울까요?`)) return;
      await ask(`/jobs/${job.id}`, { method: "DELETE" });
      if (open === job.id) { clearTimeout(timer); open = null; $("job").hidden = $("result").hidden = true; }
      list();
    };
    item.append(link, make("span", `${new Date(1000 * job.created).toLocaleString("ko-KR")} · ${TASKS[job.task]} · ${STATES[job.state]}`), remove);
    return item;
  }));
  if (!jobs.length) $("jobs").append(make("li", "아직 없습니다."));
}

export function begin() {
  const form = $("film-form");
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    if (edited() && !confirm("고친 문장을 버리고 새 영상을 보낼까요?")) return;
    clearTimeout(timer);
    open = null;
    history.replaceState(null, "", "#film"); // so that the film of before can be opened again
    $("result").hidden = true;
    $("job").hidden = false;
    $("job-cancel").hidden = true;
    $("job-name").textContent = $("film-file").files[0].name;
    $("job-share").hidden = false;
    busy(form, $("job-state"), async () => {
      say($("job-state"), "보내는 중");
      const job = await send("/jobs", new FormData(form), share => { $("job-share").value = share; });
      location.hash = `#film/${job.id}`;
    }).finally(list);
  };
  $("job-cancel").onclick = async () => {
    try { await ask(`/jobs/${open}/cancel`, { method: "POST" }); } catch { /* it ended meanwhile */ }
    follow(open);
  };
  $("again").onclick = again;
  $("film-tag").onclick = tags;
  copies($("film-tag-copy"), $("film-tag-line"), $("job-state"));
  addEventListener("beforeunload", event => { if (edited()) event.preventDefault(); });
  $("more").onclick = () => { most = Infinity; list(); };
  list();
}
