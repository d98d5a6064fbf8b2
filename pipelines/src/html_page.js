const SVG = "http://www.w3.org/2000/svg";
const by = id => document.getElementById(id);
const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const draw = (name, attributes, text) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const two = number => String(number).padStart(2, "0");
const clock = seconds => {
  const whole = Math.floor(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};
const percent = share => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

// Appends a part for each label; counts may be numbers or shares.
function share(into, counts) {
  const all = counts.reduce((a, b) => a + b, 0);
  counts.forEach((count, label) => {
    if (!count) return;
    const { name, colour } = data.labels[label];
    const part = make("div", { title: `${name}: ${percent(count / all)}` });
    part.style.cssText = `width:${100 * count / all}%;background:${colour}`;
    into.append(part);
  });
}

// Appends a bar for each span, as high as the emotion was clear; x tells where a time is, the bars stand on base.
function bars(svg, spans, x, base, most) {
  for (const [from, to, label, confidence] of spans) {
    const { name, colour } = data.labels[label], isUncertain = name === "uncertain";
    const height = most * (isUncertain ? 0.35 : 0.35 + 0.65 * confidence);
    const bar = draw("rect", { x: x(from), y: base - height, width: Math.max(x(to) - x(from), 1), height, fill: colour, class: "span" });
    bar.append(draw("title", {}, `${clock(from)} to ${clock(to)}: ${name}${isUncertain ? "" : `, at best ${percent(confidence)}`}`));
    svg.append(bar);
  }
}
