// Asking the service, and small things that all parts of the page need.

export const $ = id => document.getElementById(id);

export function make(tag, text, more = {}) {
  const element = Object.assign(document.createElement(tag), more);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function drawn(name, fields, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(fields)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

export function clock(seconds) {
  const whole = Math.floor(seconds), rest = String(whole % 60).padStart(2, "0");
  return `${Math.floor(whole / 60)}:${rest}.${Math.floor((seconds - whole) * 10)}`;
}

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export async function ask(url, options = {}) {
  let answer, told = null;
  try {
    answer = await fetch(url, options);
    if (answer.status !== 204) told = await answer.json();
  } catch {
    if (!answer || answer.ok) throw new Error("서버에 닿지 않습니다. 서버가 켜져 있는지 보세요.");
  }
  if (!answer.ok) throw Object.assign(new Error(told?.detail || `${answer.status}`), { status: answer.status });
  return told;
}

export const AGAIN_MS = 3000;

// Whether asking again would bring the same.
export const isFinal = error => error.status >= 400 && error.status < 500;

// As ask, until the server answers; tells what is in the way.
export async function askOn(url, onError) {
  for (;;) {
    try {
      return await ask(url);
    } catch (error) {
      if (isFinal(error)) throw error;
      onError(error);
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS));
    }
  }
}

// As ask, of a form with files; tells the share that is sent.
export function send(url, form, onShare) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = event => event.lengthComputable && onShare(event.loaded / event.total);
    request.onerror = () => reject(new Error("보내지 못했습니다. 서버가 켜져 있는지 보세요."));
    request.onload = () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* the status says it */ }
      if (request.status < 300) resolve(told);
      else reject(new Error(told.detail || `${request.status}`));
    };
    request.send(form);
  });
}

export function say(element, text, bad = false) {
  element.textContent = text;
  element.classList.toggle("bad", bad);
}

// As working, with the form's button.
export const busy = (form, state, work) => working(form.querySelector("button[type=submit]"), state, work);

// Runs work while the button is off; an error becomes one line.
export async function working(button, state, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    say(state, error.message, true);
  } finally {
    button.disabled = false;
  }
}

export function droppable(form) {
  const area = form.querySelector(".drop"), input = area.querySelector("input");
  for (const name of ["dragover", "dragenter"]) {
    area.addEventListener(name, event => { event.preventDefault(); area.classList.add("dragged"); });
  }
  area.addEventListener("dragleave", () => area.classList.remove("dragged"));
  area.addEventListener("drop", event => {
    event.preventDefault();
    area.classList.remove("dragged");
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

export function copies(button, text, state) {
  button.onclick = () => {
    text.select();
    if (document.execCommand("copy")) say(state, "복사했습니다."); // the newer way needs HTTPS or localhost
    else say(state, "글을 골라 두었습니다. Ctrl+C로 복사하세요.");
  };
}
