'use strict';

// As the overlay draws them, so that picture and charts agree.
const COLOURS = {
  angry: '#d0400e', disgust: '#12c29d', fear: '#a35f94', happy: '#ffcc2b', sad: '#2d6ef7', surprise: '#ee8500',
  neutral: '#f2f5f9', uncertain: '#b4bcc6',
};
const OTHERS = Object.values(COLOURS);
const SECONDS = 300;
const SVG = 'http://www.w3.org/2000/svg';
// News come once a second. Without them for this long, what is shown is old.
const STALE_MS = 2000;
// A connection without news for this long is given up, and one that does not come about.
const DEAD_MS = 6000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10000;

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
    if (last && moment.second - last.at(-1).second <= 3) last.push(moment);
    else runs.push([moment]);
  }
  return runs;
}

// How far to the right a second is in the charts.
function place(moment, now) {
  return SECONDS - (now - moment.second);
}

function area(points) {
  return `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(2)}`).join('L')}Z`;
}

function emotionChart(svg, history, now) {
  svg.replaceChildren();
  const emotions = [...new Set(history.flatMap((moment) => Object.keys(moment.emotions)))].sort(order);
  svg.setAttribute('aria-label', emotions.length ? `Shares of ${emotions.join(', ')}` : 'No face yet');
  for (const run of runs(history.filter((moment) => Object.keys(moment.emotions).length))) {
    const below = run.map(() => 0);
    for (const emotion of emotions) {
      const lower = run.map((moment, i) => [place(moment, now), 60 * (1 - below[i])]);
      run.forEach((moment, i) => { below[i] += moment.emotions[emotion] ?? 0; });
      const upper = run.map((moment, i) => [place(moment, now), 60 * (1 - below[i])]);
      // A second is as wide as one, so that a lone one is seen too.
      for (const edge of [lower, upper]) edge.push([edge.at(-1)[0] + 1, edge.at(-1)[1]]);
      svg.append(drawn('path', { d: area([...upper, ...lower.reverse()]), fill: colour(emotion) }));
    }
  }
}

function order(a, b) {
  const names = Object.keys(COLOURS);
  const rank = (name) => (names.indexOf(name) + names.length + 1) % (names.length + 1);
  return rank(a) - rank(b) || a.localeCompare(b);
}

function countChart(svg, history, now, most) {
  svg.replaceChildren();
  svg.setAttribute('aria-label', `At most ${most.toFixed(0)} faces`);
  for (const run of runs(history)) {
    const points = run.map((moment) => [place(moment, now), 38 - 36 * moment.faces / Math.max(most, 1)]);
    points.push([points.at(-1)[0] + 1, points.at(-1)[1]]);
    svg.append(drawn('path', { d: `M${points.map((p) => p.map((v) => v.toFixed(1))).join('L')}` }));
  }
}

// A time in words: '4 s', '12 min', '3 h 20 min', '2 d 5 h'.
function duration(seconds) {
  const [s, min, h, d] = [1, 60, 3600, 86400].map((unit) => Math.floor(Math.max(0, seconds) / unit));
  if (s < 60) return `${s} s`;
  if (min < 60) return `${min} min`;
  if (h < 24) return `${h} h ${min % 60} min`;
  return `${d} d ${h % 24} h`;
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

// The clock time that was so many seconds ago, with the day if that was not today.
function clock(secondsAgo) {
  const then = new Date(Date.now() - 1000 * secondsAgo);
  const isToday = then.toDateString() === new Date().toDateString();
  return isToday ? then.toLocaleTimeString() : then.toLocaleString();
}

// The sources by their names: what was told last, when, and the elements that show it.
const sources = new Map();
const visible = new Set();
const visibility = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) visible.add(entry.target.dataset.source);
    else visible.delete(entry.target.dataset.source);
    const source = sources.get(entry.target.dataset.source);
    if (entry.isIntersecting && source) charts(source);
  }
  link.watch();
}, { rootMargin: '100px' });

function added(name) {
  const article = document.getElementById('stream').content.cloneNode(true).firstElementChild;
  article.dataset.source = name;
  article.id = `source-${name}`;
  article.querySelector('.name').textContent = name;
  document.getElementById('streams').append(article);
  const source = { article, history: [], state: null, told: 0, pictured: 0 };
  sources.set(name, source);
  visibility.observe(article);
  return source;
}

function removed(name) {
  visibility.unobserve(sources.get(name).article);
  sources.get(name).article.remove();
  sources.delete(name);
  visible.delete(name);
}

function charts({ article, history, state }) {
  if (!state) return;
  const find = (selector) => article.querySelector(selector);
  const most = Math.max(0, ...history.map((moment) => moment.faces));
  emotionChart(find('.emotions'), history, state.second);
  countChart(find('.count'), history, state.second, most);
  find('.most').textContent = `at most ${most.toFixed(most % 1 ? 1 : 0)} a second`;
}

function show(source, state, isFirst) {
  const { article } = source;
  // A source that was opened anew counts its seconds from the start.
  if (isFirst || (source.state && state.second < source.state.second)) source.history = [];
  source.history.push(...state.history);
  source.history = source.history.filter((moment) => state.second - moment.second < SECONDS);
  source.state = state;
  source.told = performance.now();

  const find = (selector) => article.querySelector(selector);
  const isDown = state.status === 'waiting' || state.status === 'failed' || (state.status === 'opening' && state.reason !== null);
  article.classList.toggle('down', isDown);
  find('.status').className = `status ${state.status}`;
  const picture = find('.picture');
  const canvas = find('canvas');
  picture.hidden = !state.has_pictures;
  if (!source.pictured && state.width) {
    // The card has its height before the first picture comes.
    [canvas.width, canvas.height] = [state.width, state.height];
  }
  canvas.setAttribute('aria-label', `Live picture of ${state.name}`);
  find('.faces').replaceChildren(...state.faces.map((face) => {
    const emotion = face.emotion ?? 'not classified';
    const id = face.id === null ? '' : `${face.id} `;
    const sure = face.confidence === null || face.uncertain ? '' : ` ${Math.round(100 * face.confidence)} %`;
    return named(emotion, `${id}${emotion}${sure}`);
  }));
  find('.zones').replaceChildren(...state.zones.map(zoneItem), ...state.lines.map(lineItem));
  find('.numbers').textContent = [
    state.width ? `${state.width}×${state.height}` : '',
    `${state.frames_per_second.toFixed(1)} frames/s analysed`,
    `delay ${Math.round(1000 * state.latency_seconds)} ms`,
    `${state.skipped} skipped`,
    `${state.reconnects} reconnects`,
  ].filter(Boolean).join(' · ');
  if (visible.has(state.name)) charts(source);
  times(source);
  return isDown;
}

// What changes with time alone: ages, and how long to wait.
function times({ article, state, told, pictured }) {
  const passed = (performance.now() - told) / 1000;
  const find = (selector) => article.querySelector(selector);
  const lines = [];
  if (state.reason) lines.push(state.reason);
  if (state.picture) lines.push(`The picture is ${state.picture}`);
  if (state.down_seconds !== null && (state.reason || state.status === 'ended')) {
    const since = state.down_seconds + passed;
    lines.push(`${state.status === 'ended' ? 'Ended' : 'Down since'} ${clock(since)} (${duration(since)})`);
  }
  // What a program does that is away is not known.
  if (passed * 1000 > STALE_MS) lines.push(`This is ${duration(passed)} old`);
  else if (state.retry_seconds !== null) lines.push(`Next attempt in ${duration(Math.ceil(state.retry_seconds - passed))}`);
  else if (state.status === 'opening') lines.push(state.reason ? 'Being opened again' : 'Being opened');
  else if (state.status === 'failed') lines.push('It is not opened again');
  const reason = find('.reason');
  const text = lines.join('\n');
  if (reason.dataset.text !== text) {
    reason.dataset.text = text;
    reason.replaceChildren(...lines.map((line) => Object.assign(document.createElement('span'), { textContent: line })));
  }
  reason.hidden = !lines.length;
  const age = (state.analysed_seconds ?? 0) + passed;
  const isOld = state.status !== 'playing' || age * 1000 > STALE_MS;
  const isSilent = state.status === 'playing' && isOld && passed * 1000 < STALE_MS;
  find('.status').textContent = isSilent ? `playing, last result ${duration(age)} ago` : state.status;
  find('.status').classList.toggle('playing', state.status === 'playing' && !isSilent);
  find('.picture').classList.toggle('old', isOld);
  find('.age').hidden = !isOld;
  find('.age').textContent = pictured ? `${duration(age)} old` : 'no picture';
}

function summarize(states) {
  const playing = states.filter((state) => state.status === 'playing').length;
  const faces = states.reduce((sum, state) => sum + state.faces.length, 0);
  document.getElementById('summary').textContent =
    `${playing} of ${states.length} sources playing, ${faces} ${faces === 1 ? 'face' : 'faces'} now`;
}

function listDown(names) {
  const down = document.getElementById('down');
  down.hidden = !names.length;
  down.replaceChildren('Down:', ...names.map((name) => {
    return Object.assign(document.createElement('a'), { href: `#source-${name}`, textContent: name });
  }));
  document.title = names.length ? `(${names.length} down) emotion-crowd` : 'emotion-crowd';
}

function showAll({ is_first: isFirst, has_login: hasLogin, sources: states }) {
  document.getElementById('logout').hidden = !hasLogin;
  const names = new Set(states.map((state) => state.name));
  [...sources.keys()].filter((name) => !names.has(name)).forEach(removed);
  const down = states.filter((state) => show(sources.get(state.name) ?? added(state.name), state, isFirst));
  summarize(states);
  listDown(down.map((state) => state.name));
}

// A picture: the length of the source's name in 16 bits, the name, a JPEG.
async function showPicture(message) {
  const length = new DataView(message).getUint16(0);
  const name = new TextDecoder().decode(new Uint8Array(message, 2, length));
  try {
    const picture = await createImageBitmap(new Blob([new Uint8Array(message, 2 + length)], { type: 'image/jpeg' }));
    const source = sources.get(name);
    if (source) {
      const canvas = source.article.querySelector('canvas');
      if (canvas.width !== picture.width || canvas.height !== picture.height) {
        [canvas.width, canvas.height] = [picture.width, picture.height];
      }
      canvas.getContext('2d').drawImage(picture, 0, 0);
      source.pictured += 1;
      source.article.dataset.pictures = source.pictured;
    }
    picture.close();
  } finally {
    // Only now the next one is sent.
    link.send({ shown: name });
  }
}

// The connection to the program, which comes back by itself.
const link = {
  socket: null,
  pause: FIRST_PAUSE_MS,
  retry: 0,
  opened: performance.now(),
  heard: performance.now(),
  refusal: '',
  timer: null,

  open() {
    clearTimeout(this.timer);
    this.retry = 0;
    this.opened = performance.now();
    const address = new URL('live', location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    address.hash = '';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.watch();
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data !== 'string') {
        showPicture(data);
        return;
      }
      this.heard = performance.now();
      this.pause = FIRST_PAUSE_MS;
      this.refusal = '';
      showAll(JSON.parse(data));
      alarm();
    };
    socket.onclose = ({ reason }) => {
      if (socket !== this.socket) return;
      this.refusal = reason;
      this.openLater();
    };
    this.socket = socket;
  },

  // After pauses that grow, each shortened at random, so that not all pages come at once.
  openLater() {
    this.socket = null;
    const pause = this.pause * (1 - Math.random() / 2);
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
    this.retry = performance.now() + pause;
    this.timer = setTimeout(() => this.open(), pause);
    // Without the right token the program answers, but not here.
    fetch('page.js', { method: 'HEAD' }).then(({ status }) => { if (status === 401) location.reload(); }, () => {});
  },

  // At once instead of after the pause: the computer woke up, or the network is back.
  hurry() {
    if (this.socket) return;
    this.pause = FIRST_PAUSE_MS;
    this.open();
  },

  check() {
    const now = performance.now();
    if (!this.socket || now - Math.max(this.heard, this.opened) < DEAD_MS) return;
    const socket = this.socket;
    this.openLater();
    socket.close();
  },

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  },

  watch() {
    this.send({ watch: document.hidden ? [] : [...visible] });
  },
};

// Says so when what is shown is old.
function alarm() {
  const silence = performance.now() - link.heard;
  const isStale = silence > STALE_MS;
  document.body.classList.toggle('stale', isStale);
  const element = document.getElementById('alarm');
  element.hidden = !isStale;
  if (!isStale) return;
  const left = link.retry ? Math.max(0, Math.ceil((link.retry - performance.now()) / 1000)) : 0;
  element.textContent = [
    `No news from emotion-crowd for ${duration(silence / 1000)}.`,
    link.refusal ? `It says: ${link.refusal}.` : '',
    sources.size ? 'Everything below is old.' : '',
    left ? `Next attempt in ${left} s.` : 'Trying to connect…',
  ].filter(Boolean).join(' ');
  document.title = '(no connection) emotion-crowd';
}

document.getElementById('legend').append(
  ...Object.keys(COLOURS).map((emotion) => named(emotion, emotion)),
);
document.addEventListener('visibilitychange', () => { link.watch(); if (!document.hidden) link.hurry(); });
addEventListener('online', () => link.hurry());
setInterval(() => {
  link.check();
  sources.forEach(times);
  alarm();
}, 250);
link.open();
