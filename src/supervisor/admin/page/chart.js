// The chart of /status. It comes before status.js in the page's one script, and uses its helpers.
const WIDTH = 600;
const HEIGHT = 100;
const SPAN_MS = 120_000;

function line(points, top, figure) {
  return points
    .map((point) => [WIDTH * (1 - point.agoMs / SPAN_MS), HEIGHT - 2 - (HEIGHT - 8) * (figure(point) / top)])
    .map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join('');
}

function path(className, d) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  made.setAttribute('class', className);
  made.setAttribute('d', d);
  return made;
}

window.showChart = (history) => {
  const points = history.filter(({ agoMs }) => agoMs <= SPAN_MS);
  const highest = Math.max(0, ...points.map(({ requestsPerSecond }) => requestsPerSecond));
  const top = highest || 1;
  const requests = line(points, top, (point) => point.requestsPerSecond);
  const x = (point) => WIDTH * (1 - point.agoMs / SPAN_MS);
  const [first, last] = [points[0], points.at(-1)];
  const area = first ? `${requests}L${x(last)} ${HEIGHT}L${x(first)} ${HEIGHT}Z` : '';
  byId('chart').replaceChildren(
    path('base', `M0 ${HEIGHT - 1}H${WIDTH}`),
    path('area', area),
    path('requests', requests),
    path(
      'failures',
      line(points, top, (point) => point.failuresPerSecond),
    ),
  );
  set('chart-top', highest > 0 ? `${number(highest)}/s` : 'no requests lately');
};
