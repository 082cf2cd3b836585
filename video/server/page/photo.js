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
  const form = $("photo-form"), state = $("photo-state");
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "보는 중");
      const files = [...$("photo-file").files];
      const { captions } = await send("/get_captions", new FormData(form), () => {});
      $("photos").replaceChildren(...captions.map((photo, index) => told(photo, files[index])));
      say(state, `${captions.length}장을 보았습니다.`);
    });
  };
}
