// Shots of the films that were captioned here, by what is seen in them.
import { $, ask, busy, clock, make, say } from "./ask.js";

export function begin() {
  const form = $("search-form"), state = $("search-state");
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "찾는 중");
      const { hits } = await ask(`/search?q=${encodeURIComponent($("search-text").value)}`);
      $("hits").replaceChildren(...hits.map(hit => {
        const item = make("li"), link = make("a", `${hit.name} ${clock(hit.start_ms / 1000)}`);
        link.href = `#film/${hit.job}/${hit.start_ms}`;
        item.append(make("strong", hit.caption), link);
        return item;
      }));
      say(state, hits.length ? `${hits.length}개를 찾았습니다.` : "찾은 장면이 없습니다.");
    });
  };
}
