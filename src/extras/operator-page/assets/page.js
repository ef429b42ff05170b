// What a page does besides showing what the service has drawn: times in the reader's own time zone,
// clocks that run, and parts that are replaced while a run goes on. Without it every page works.

const showTimes = (root) => {
  for (const element of root.querySelectorAll('time[data-time]')) {
    element.textContent = new Date(element.dateTime).toLocaleString('sv-SE');
  }
};

/** As `html.ts` says it. */
const inWords = (iso) => {
  const ms = Date.parse(iso) - Date.now();
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const days = Math.floor(minutes / 1_440);
  const hours = Math.floor(minutes / 60) % 24;
  const long =
    days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes % 60} min` : '';
  const words = long || (minutes === 0 ? 'less than a minute' : `${minutes} min`);
  return ms < 0 ? `${words} ago` : `in ${words}`;
};

const runClocks = () => {
  for (const element of document.querySelectorAll('time[data-distance]')) {
    const words = inWords(element.dateTime);
    if (element.textContent !== words) element.textContent = words;
  }
};

const draw = (root) => {
  showTimes(root);
  runClocks();
};

/** Whether somebody is filling in a form there: it is not taken from under their hands. */
const isInUse = (part) =>
  part.contains(document.activeElement) ||
  [...part.querySelectorAll('input, textarea')].some((field) =>
    field.type === 'checkbox' ? field.checked : field.value !== field.defaultValue,
  );

/** A run's story: the service sends the parts that have changed, as HTML. */
const follow = (root) => {
  const source = new EventSource(root.dataset.live);
  for (const part of root.querySelectorAll('[data-part]')) {
    source.addEventListener(part.dataset.part, ({ data }) => {
      if (part.dataset.part !== 'story' && isInUse(part)) return;
      part.innerHTML = JSON.parse(data);
      draw(part);
    });
  }
  source.addEventListener('end', () => source.close());
};

/** A list: it is read again while nobody has the focus in it. */
const readAgain = async (root) => {
  if (document.hidden || root.contains(document.activeElement)) return;
  const answer = await fetch(location.pathname + location.search).catch(() => undefined);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const news = page.querySelector('[data-refresh]');
  if (!news) return;
  root.replaceChildren(...news.childNodes);
  draw(root);
};

draw(document);
setInterval(runClocks, 10_000);
const live = document.querySelector('[data-live]');
if (live) follow(live);
const list = document.querySelector('[data-refresh]');
if (list) setInterval(() => void readAgain(list), Number(list.dataset.refresh) * 1_000);
