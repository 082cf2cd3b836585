// What the captioner says of itself, and the limits of this service.
import { $, ask, make } from "./ask.js";

const LIMITS = { max_film_mb: ["가장 큰 영상", " MB"], max_photo_mb: ["사진 요청", " MB"], max_hours: ["가장 긴 영상", "시간"], keep_hours: ["지우기까지", "시간"], waiting: ["기다릴 수 있는 작업", "개"] };
const SHOWN = { captioner: "캡셔너", parameters: "매개변수", terms: "이용 조건", encoder: "인코더", tagger: "형태소 분석", created: "만든 날" };

function fact(name, value) {
  const told = make("dd");
  if (String(value).length < 100) told.textContent = typeof value === "number" ? value.toLocaleString("ko-KR") : value;
  else {
    const long = make("details");
    long.append(make("summary", "읽기"), make("div", String(value).replace(/[*`#]/g, "").trim()));
    told.append(long);
  }
  return [make("dt", name), told];
}

export async function begin() {
  const { captioner, limits } = await ask("/about");
  const own = Object.entries(SHOWN).filter(([key]) => captioner[key] !== undefined);
  const bounds = Object.entries(LIMITS).filter(([key]) => limits[key] !== undefined);
  $("facts").replaceChildren(
    ...own.flatMap(([key, name]) => fact(name, captioner[key])),
    ...bounds.flatMap(([key, [name, unit]]) => fact(name, `${limits[key]}${unit}`)),
  );
  $("film-most").textContent = `${limits.max_film_mb} MB, ${limits.max_hours}시간까지.`;
}
