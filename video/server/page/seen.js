// What is drawn over a photo: boxes with their sentences, and where was looked for each word.
import { drawn, make } from "./ask.js";

const COLOURS = ["#b3123c", "#1e6b2e", "#1a4fd0", "#a04a00", "#6d1684", "#00595c", "#6b4310", "#5a5a00"];

// The photo with a drawing over it that has its own measure.
function over(url, alt, width, height, parts) {
  const both = make("div", undefined, { className: "over" });
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(...parts);
  both.append(make("img", undefined, { src: url, alt }), svg);
  return both;
}

export function boxes({ width, height, regions }, url) {
  if (!regions.length) return [make("p", "따로 말할 만한 곳을 찾지 못했습니다.")];
  const large = Math.max(width, height), list = make("ol");
  const parts = regions.flatMap(({ box: [left, top, right, bottom] }, index) => {
    const fill = COLOURS[index % COLOURS.length], letter = large / 22;
    return [
      drawn("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke: fill, "stroke-width": 3, "vector-effect": "non-scaling-stroke" }),
      drawn("rect", { x: left, y: top, width: letter * 1.4, height: letter * 1.2, fill }),
      drawn("text", { x: left + letter * 0.7, y: top + letter, fill: "#fff", "font-size": letter, "text-anchor": "middle" }, index + 1),
    ];
  });
  list.append(...regions.map((one, index) => {
    const item = make("li", `${one.caption} `), name = make("small", `확신 ${Math.round(100 * one.confidence)}%`);
    item.className = `region${index % COLOURS.length}`;
    item.append(name);
    return item;
  }));
  return [make("h3", "어디에 무엇이 있나"), over(url, "번호를 매긴 칸", width, height, parts), list];
}

export function looks({ text, confidence, looks: words }, url) {
  const sheet = make("ul", undefined, { className: "looks" });
  sheet.append(...words.map(({ word, heat }) => {
    const most = Math.max(...heat.flat()), even = 4 / heat.flat().length, item = make("li");
    const cells = heat.flatMap((row, y) => row.map((share, x) =>
      drawn("rect", { x, y, width: 1.02, height: 1.02, fill: "#ff9d00", "fill-opacity": (0.75 * share / Math.max(most, even)).toFixed(3) })));
    item.append(over(url, `${word}: 본 곳`, heat[0].length, heat.length, cells), make("span", `${word} ${Math.round(100 * most)}%`));
    return item;
  }));
  const said = make("p", `${text} `);
  said.append(make("small", `확신 ${Math.round(100 * confidence)}%. 수는 가장 많이 본 칸의 몫입니다.`));
  return [make("h3", "어디를 보고 말했나"), said, sheet];
}
