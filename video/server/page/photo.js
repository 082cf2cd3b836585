// Photos: what is seen in them, at once.
import { $, busy, droppable, make, say, send } from "./ask.js";

function told(photo, file) {
  const figure = make("figure"), picture = make("img", undefined, { alt: photo.caption });
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  const words = make("figcaption"), sentences = make("ol");
  for (const one of photo.sentences) {
    const item = make("li", `${one.text} `);
    item.append(make("small", `확신 ${Math.round(100 * one.confidence)}%`));
    sentences.append(item);
  }
  words.append(sentences);
  figure.append(picture, words);
  return figure;
}

export function begin() {
  $("tag-copy").onclick = () => {
    $("tag-line").select();
    navigator.clipboard.writeText($("tag-line").value).then(() => say($("photo-state"), "복사했습니다."));
  };
  const form = $("photo-form"), state = $("photo-state");
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "보는 중");
      const files = [...$("photo-file").files];
      const { captions } = await send("/get_captions", new FormData(form), () => {});
      $("photos").replaceChildren(...captions.map((photo, index) => told(photo, files[index])));
      $("tags").hidden = true;
      say(state, "해시태그를 고르는 중");
      $("tag-line").value = (await send("/get_hashtags", new FormData(form), () => {})).line;
      $("tags").hidden = false;
      say(state, `${captions.length}장을 보았습니다.`);
    });
  };
}
