'use strict';

// As the overlay draws them, so that picture and charts agree.
const COLOURS = {
  angry: '#d0400e', disgust: '#12c29d', fear: '#a35f94', happy: '#ffcc2b', sad: '#2d6ef7', surprise: '#ee8500',
  neutral: '#f2f5f9', uncertain: '#b4bcc6',
};
const OTHERS = Object.values(COLOURS);
const SECONDS = 300;
const SVG = 'http://www.w3.org/2000/svg';
const cards = new Map();

function colour(emotion) {
  if (emotion in COLOURS) return COLOURS[emotion];
  const sum = [...emotion].reduce((sum, c) => sum + c.codePointAt(0), 0);
  return OTHERS[sum % 7];
}

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function named(emotion, text) {
  const item = document.createElement('li');
  const dot = drawn('svg', { viewBox: '0 0 10 10', 'aria-hidden': 'true' });
  dot.append(drawn('circle', { cx: 5, cy: 5, r: 4.5, class: 'edge', fill: colour(emotion) }));
  item.append(dot, text);
  return item;
}

// Runs of seconds without a gap: a stream that was away leaves a hole in its charts.
function runs(history) {
  const runs = [];
  for (const moment of history) {
    const last = runs.at(-1);
    if (last && last.at(-1).ago - moment.ago <= 3) last.push(moment);
    else runs.push([moment]);
  }
  return runs;
}

function area(points) {
  return `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(2)}`).join('L')}Z`;
}

function emotionChart(svg, history) {
  svg.replaceChildren();
  const emotions = [...new Set(history.flatMap((moment) => Object.keys(moment.emotions)))].sort(order);
  svg.setAttribute('aria-label', emotions.length ? `Shares of ${emotions.join(', ')}` : 'No face yet');
  for (const run of runs(history.filter((moment) => Object.keys(moment.emotions).length))) {
    const below = run.map(() => 0);
    for (const emotion of emotions) {
      const lower = run.map((moment, i) => [SECONDS - moment.ago, 60 * (1 - below[i])]);
      run.forEach((moment, i) => { below[i] += moment.emotions[emotion] ?? 0; });
      const upper = run.map((moment, i) => [SECONDS - moment.ago, 60 * (1 - below[i])]);
      // A second is as wide as one, so that a lone one is seen too.
      for (const edge of [lower, upper]) edge.push([edge.at(-1)[0] + 1, edge.at(-1)[1]]);
      svg.append(drawn('path', { d: area([...upper, ...lower.reverse()]), fill: colour(emotion) }));
    }
  }
}

function order(a, b) {
  const names = Object.keys(COLOURS);
  const place = (name) => (names.indexOf(name) + names.length + 1) % (names.length + 1);
  return place(a) - place(b) || a.localeCompare(b);
}

function countChart(svg, history, most) {
  svg.replaceChildren();
  svg.setAttribute('aria-label', `At most ${most.toFixed(0)} faces`);
  for (const run of runs(history)) {
    const points = run.map((moment) => [SECONDS - moment.ago, 38 - 36 * moment.faces / Math.max(most, 1)]);
    points.push([points.at(-1)[0] + 1, points.at(-1)[1]]);
    svg.append(drawn('path', { d: `M${points.map((p) => p.map((v) => v.toFixed(1))).join('L')}` }));
  }
}

function listItem(text, kind) {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  return item;
}

function zoneItem(zone) {
  const people = zone.limit === undefined ? `${zone.people}` : `${zone.people} of at most ${zone.limit}`;
  const dwell = zone.dwell ? ` · stay ${zone.dwell.mean.toFixed(1)} s on average, ${zone.dwell.longest.toFixed(1)} s at most` : '';
  const text = `${zone.name}: ${people} · ${zone.entered} entered, ${zone.left} left${dwell}`;
  return listItem(text, zone.exceeded ? 'zone exceeded' : 'zone');
}

function lineItem(line) {
  return listItem(`${line.name}: ${line.in_name} ${line.in}, ${line.out_name} ${line.out}`, 'line');
}

function card(name) {
  if (cards.has(name)) return cards.get(name);
  const article = document.getElementById('stream').content.cloneNode(true).firstElementChild;
  article.dataset.source = name;
  article.querySelector('.name').textContent = name;
  document.getElementById('streams').append(article);
  cards.set(name, article);
  return article;
}

function show(stream) {
  const article = card(stream.name);
  const find = (selector) => article.querySelector(selector);
  find('.status').textContent = stream.status;
  find('.status').className = `status ${stream.status}`;
  find('.reason').textContent = stream.reason ?? '';
  find('.reason').hidden = !stream.reason;

  const picture = find('img');
  const plays = stream.has_pictures && stream.status === 'playing';
  if (plays && picture.hidden) {
    picture.alt = `Live picture of ${stream.name}`;
    picture.width = stream.width || 16;
    picture.height = stream.height || 9;
    // A new address each time, or the browser goes on with the connection that broke.
    picture.src = `live/${encodeURIComponent(stream.name)}?${Date.now()}`;
  } else if (!plays && !picture.hidden) {
    picture.removeAttribute('src');
  }
  picture.hidden = !plays;

  find('.faces').replaceChildren(...stream.faces.map((face) => {
    const emotion = face.emotion ?? 'not classified';
    const id = face.id === null ? '' : `${face.id} `;
    const sure = face.confidence === null || face.uncertain ? '' : ` ${Math.round(100 * face.confidence)} %`;
    return named(emotion, `${id}${emotion}${sure}`);
  }));
  find('.zones').replaceChildren(...stream.zones.map(zoneItem), ...stream.lines.map(lineItem));
  const most = Math.max(0, ...stream.history.map((moment) => moment.faces));
  emotionChart(find('.emotions'), stream.history);
  countChart(find('.count'), stream.history, most);
  find('.most').textContent = `at most ${most.toFixed(most % 1 ? 1 : 0)} a second`;
  find('.numbers').textContent = [
    stream.width ? `${stream.width}×${stream.height}` : '',
    `${stream.frames_per_second.toFixed(1)} frames/s analysed`,
    `delay ${Math.round(1000 * stream.latency_seconds)} ms`,
    `${stream.skipped} skipped`,
    `${stream.reconnects} reconnects`,
  ].filter(Boolean).join(' · ');
}

async function refresh() {
  const summary = document.getElementById('summary');
  try {
    const answer = await fetch('api/streams');
    if (!answer.ok) throw new Error(await answer.text());
    const streams = await answer.json();
    streams.forEach(show);
    const playing = streams.filter((stream) => stream.status === 'playing').length;
    const faces = streams.reduce((sum, stream) => sum + stream.faces.length, 0);
    summary.textContent = `${playing} of ${streams.length} sources playing, ${faces} ${faces === 1 ? 'face' : 'faces'} now`;
  } catch (error) {
    summary.textContent = `The program does not answer: ${error.message}`;
  }
  setTimeout(refresh, 1000);
}

document.getElementById('legend').append(
  ...Object.keys(COLOURS).map((emotion) => named(emotion, emotion)),
);
refresh();
