// Photos, or the shots of the films that were captioned here, in groups by what is seen.
import { $, ask, busy, clock, droppable, make, say, send } from "./ask.js";

const shown = [];  // addresses of the photos on the page

function section(group, cell) {
  const part = make("section"), list = make("ul", undefined, { className: "group" });
  list.append(...group.members.map(cell));
  part.append(make("h3", `${group.name} (${group.members.length})`), list);
  return part;
}

function photo(files) {
  return member => {
    const item = make("li"), url = URL.createObjectURL(files[member.index]);
    shown.push(url);
    item.append(make("img", undefined, { src: url, alt: "", loading: "lazy" }), make("span", member.caption));
    return item;
  };
}

function shot(member) {
  const item = make("li"), link = make("a", `${member.name} ${clock(member.start_ms / 1000)}`);
  link.href = `#film/${member.job}/${member.start_ms}`;
  item.append(make("span", member.caption), link);
  return item;
}

function show(groups, cell, nothing) {
  shown.splice(0).forEach(url => URL.revokeObjectURL(url));
  $("groups").replaceChildren(...groups.map(group => section(group, cell)));
  say($("group-state"), groups.length ? `${groups.length}묶음으로 나누었습니다.` : nothing);
}

export function begin() {
  const form = $("group-form"), state = $("group-state");
  droppable(form);
  form.onsubmit = event => {
    event.preventDefault();
    busy(form, state, async () => {
      say(state, "보는 중 (한 장에 0.3초쯤)");
      const files = [...$("group-file").files];
      show((await send("/get_groups", new FormData(form), () => {})).groups, photo(files), "");
    });
  };
  $("group-shots").onclick = () => busy(form, state, async () => {
    say(state, "묶는 중");
    const count = $("group-count").value;
    show((await ask(count ? `/groups?count=${count}` : "/groups")).groups, shot, "지난 작업에 장면이 없습니다.");
  });
}
