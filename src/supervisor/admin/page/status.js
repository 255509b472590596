// The script of /status: gets what the service tells every two seconds, and shows it. Text is only ever set as text.
const byId = (id) => document.getElementById(id);
const set = (id, text) => {
  byId(id).textContent = text;
};

const round = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits });
const number = (value) => {
  if (value >= 1e6) return `${round(value / 1e6, 1)}M`;
  if (value >= 1e4) return `${round(value / 1e3, 1)}k`;
  return round(value, value < 10 ? 1 : 0);
};
const time = (ms) => {
  if (ms < 10) return `${round(ms, 1)} ms`;
  if (ms < 1000) return `${round(ms, 0)} ms`;
  return ms < 60_000 ? `${round(ms / 1000, 1)} s` : `${round(ms / 60_000, 1)} min`;
};
const span = (seconds) => {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${round(seconds / 3600, 1)} h` : `${Math.round(seconds / 86_400)} days`;
};
const bytes = (value) =>
  value < 2 ** 30 ? `${Math.round(value / 2 ** 20)} MB` : `${round(value / 2 ** 30, 1)} GB`;
const percent = (share) => `${round(share * 100, share > 0 && share < 0.1 ? 1 : 0)} %`;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Lines break between them only. */
function pieces(id, texts) {
  byId(id).replaceChildren(...texts.map((text) => element('span', 'piece', text)));
}

const cell = (className, ...children) => element('td', className, ...children);
const chip = (tone, text) => element('span', `chip ${tone}`, text);

function meter(share, text, tone = '') {
  const filled = element('span');
  filled.style.width = `${Math.min(100, share * 100)}%`;
  return element('span', `meter ${tone}`, element('span', '', filled), element('span', '', text));
}

function rows(id, list, row, nothing) {
  const made = list.map((one) => element('tr', '', ...row(one)));
  byId(id).replaceChildren(...(made.length > 0 ? made : [element('tr', '', cell('muted', nothing))]));
}

const STATE_TONES = {
  ready: 'ok',
  reloading: 'warn',
  starting: 'warn',
  draining: 'warn',
  drained: 'warn',
  stopping: 'bad',
};

function showHead({ service, at }) {
  const { listen, version, state, pid, startedAt } = service;
  set('version', version);
  byId('state').className = `chip ${STATE_TONES[state] ?? ''}`;
  set('state', state);
  const scheme = listen.isSecure ? 'https' : 'http';
  const up = span((Date.parse(at) - Date.parse(startedAt)) / 1000);
  set('summary', `${scheme}://${listen.host}:${listen.port} · up ${up} · pid ${pid}`);
  document.title = state === 'ready' ? 'flow-proxy' : `flow-proxy: ${state}`;
}

function showLatency(id, latency) {
  set(id, latency ? time(latency.p50) : '–');
  const more = latency ? [`p90 ${time(latency.p90)}`, `p99 ${time(latency.p99)}`] : ['nothing ended lately'];
  pieces(`${id}-more`, more);
}

function showTiles({ rates, totals, service }) {
  set('requests', rates ? number(rates.requestsPerSecond) : '–');
  set('requests-more', `${number(totals.requests)} since the start`);
  const share = rates && rates.requestsPerSecond > 0 ? rates.failuresPerSecond / rates.requestsPerSecond : 0;
  set('failures', rates ? percent(share) : '–');
  byId('failures').parentElement.className = `big ${share >= 0.05 ? 'bad' : share > 0 ? 'warn' : ''}`;
  set('failures-more', `${number(totals.failures)} since the start`);
  set('flight', number(service.inFlight));
  const tokens = rates ? [`${number(rates.outputTokensPerSecond)} tokens/s`] : [];
  pieces('flight-more', [`${number(rates ? rates.streamsOpen : 0)} streams`, ...tokens]);
  showLatency('first', rates?.firstByte);
  showLatency('whole', rates?.duration);
  showLatency('added', rates?.overhead);
}

function cooldownText({ model, reason, until }, now) {
  const left = (Date.parse(until) - now) / 1000;
  const rest = left > 0 ? `${span(left)} left` : 'waits for a probe';
  return `${reason}${model === null ? '' : ` for ${model}`}, ${rest}`;
}

function credentialState({ available, disabled, cooldowns }, now) {
  const availability = available ? (cooldowns.length > 0 ? 'partly available' : 'available') : 'resting';
  const chips = disabled
    ? [chip('bad', 'disabled')]
    : [chip(available && cooldowns.length === 0 ? 'ok' : 'warn', availability)];
  const more = cooldowns.slice(0, 3).map((cooldown) => element('div', 'muted', cooldownText(cooldown, now)));
  if (cooldowns.length > 3) more.push(element('div', 'muted', `and ${cooldowns.length - 3} more models`));
  return cell('', ...chips, ...more);
}

function showCredentials({ service: { credentials }, rates, at }) {
  const now = Date.parse(at);
  const known = new Map((rates?.credentials ?? []).map((one) => [one.name, one]));
  const available = credentials.filter((one) => one.available).length;
  set('credentials-more', `${available} of ${credentials.length} available`);
  rows(
    'credentials',
    credentials,
    (credential) => {
      const { share = 0, requestsPerSecond = 0 } = known.get(credential.name) ?? {};
      const weight =
        credential.weight === 1 ? [] : [element('span', 'muted', ` ×${round(credential.weight, 2)}`)];
      return [
        cell('', credential.name, ...weight),
        credentialState(credential, now),
        cell('bar', meter(share, percent(share))),
        cell('n', number(requestsPerSecond)),
      ];
    },
    'none',
  );
}

function showWorkers({ service: { workers, draining, workersWanted }, at }) {
  const ready = workers.filter(({ stage }) => stage === 'ready').length;
  const old = draining.flatMap((generation) => generation.workers);
  set(
    'workers-more',
    `${ready} of ${workersWanted} ready${old.length > 0 ? `, ${old.length} draining` : ''}`,
  );
  rows(
    'workers',
    [...workers, ...old],
    (worker) => [
      cell('', String(worker.slot)),
      cell('wide', String(worker.pid)),
      cell('', chip(worker.stage === 'ready' ? 'ok' : 'warn', worker.stage)),
      cell('n', number(worker.inFlight)),
      cell('n', bytes(worker.rssBytes)),
      cell('n', time(worker.loopDelayMs)),
      cell('n wide', String(worker.generation)),
      cell('n wide', span((Date.parse(at) - Date.parse(worker.startedAt)) / 1000)),
    ],
    'none',
  );
}

function showFailures({ failures, at }) {
  rows(
    'recent',
    failures.slice(0, 8),
    (failure) => {
      const ago = `${span((Date.parse(at) - Date.parse(failure.at)) / 1000)} ago`;
      const who = failure.credential === 'none' ? 'no credential' : failure.credential;
      return [
        cell('tight', chip('bad', failure.status), failure.count > 1 ? ` ×${number(failure.count)}` : ''),
        cell('', failure.route, element('div', 'muted', who)),
        cell('n muted', ago),
      ];
    },
    'None since this page’s figures began.',
  );
}

function showMachine({ host }) {
  const tone = (share) => (share > 0.95 ? 'bad' : share > 0.85 ? 'warn' : '');
  const list = [];
  const add = (term, ...detail) => list.push(element('dt', '', term), element('dd', 'n', ...detail));
  if (host) {
    const used = host.memoryTotalBytes - host.memoryAvailableBytes;
    const [busy, full] = [host.cpuPercent / 100, used / host.memoryTotalBytes];
    add('Processors', meter(busy, percent(busy), tone(busy)));
    add('Memory', meter(full, percent(full), tone(full)));
    add('In use', `${bytes(used)} of ${bytes(host.memoryTotalBytes)}`);
    add('Load', `${round(host.loadAverage, 2)} on ${host.processors} processors`);
  } else add('', 'being found out');
  byId('machine').replaceChildren(...list);
}

function showFoot({ service: { generation, lastReload, log } }) {
  const reload = lastReload
    ? `last reload ${lastReload.outcome} at ${new Date(lastReload.at).toLocaleTimeString()}`
    : 'no reload yet';
  const lost = log.lostLines > 0 ? ` · ${number(log.lostLines)} log lines lost` : '';
  set('foot', `Generation ${generation} · ${reload} · log level ${log.level}${lost}`);
}

function show(status) {
  showHead(status);
  showTiles(status);
  window.showChart(status.history);
  showCredentials(status);
  showWorkers(status);
  showFailures(status);
  showMachine(status.service);
  showFoot(status);
}

const source = new EventSource('/status/events');
const link = byId('link');
const setLink = (isLive) => {
  link.className = isLive ? 'link live' : 'link';
  link.textContent = isLive ? 'live' : 'reconnecting';
};
source.onmessage = ({ data }) => {
  setLink(true);
  show(JSON.parse(data));
};
source.onerror = () => {
  setLink(false);
  byId('state').className = 'chip bad';
  set('state', 'not reachable');
};
