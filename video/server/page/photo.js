// Photos: what is seen in them, where, and where was looked; all at once.
import { $, busy, copies, droppable, make, say, send, working } from "./ask.js";
import { boxes, looks } from "./seen.js";

const shown = [];  // addresses of the photos on the page

// A button that asks about one photo and puts what it says under it.
function asking(text, path, draw, file, url, under) {
  const button = make("button", text, { type: "button", className: "plain" });
  const state = $("photo-state");
  button.onclick = () => working(button, state, async () => {
    const form = new FormData();
    form.append("image", file);
    say(state, "보는 중");
    under.replaceChildren(...draw(await send(path, form, () => {}), url));
    say(state, "다 보았습니다.");
  });
  return button;
}

function told(photo, file) {
  const url = URL.createObjectURL(file);
  shown.push(url);
  const figure = make("figure"), picture = make("img", undefined, { alt: photo.caption, src: url });
  const words = make("figcaption"), sentences = make("ol"), under = make("div", undefined, { className: "under" });
  for (const one of photo.sentences) {
    const item = make("li", `${one.text} `);
    item.append(make("small", `확신 ${Math.round(100 * one.confidence)}%`));
    sentences.append(item);
  }
  const actions = make("p", undefined, { className: "actions" });
  actions.append(
    asking("어디에 무엇이 있나", "/get_regions", boxes, file, url, under),
    " ",
    asking("어디를 보고 말했나", "/get_attention", looks, file, url, under),
  );
  words.append(sentences, actions);
  figure.append(picture, words, under);
  return figure;
}

export function begin() {
  const form = $("photo-form"), state = $("photo-state");
  copies($("tag-copy"), $("tag-line"), state);
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "보는 중");
      const files = [...$("photo-file").files];
      const { captions } = await send("/get_captions", new FormData(form), () => {});
      shown.splice(0).forEach(url => URL.revokeObjectURL(url));
      $("photos").replaceChildren(...captions.map((photo, index) => told(photo, files[index])));
      $("tags").hidden = true;
      say(state, "해시태그를 고르는 중");
      $("tag-line").value = (await send("/get_hashtags", new FormData(form), () => {})).line;
      $("tags").hidden = false;
      say(state, `${captions.length}장을 보았습니다.`);
    });
  };
}
