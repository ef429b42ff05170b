// What a page does besides showing what the service has drawn: times in the reader's own time zone,
// clocks that run, and parts that are replaced while a run goes on. Without it every page works.

/** How long after a refusal a story is asked for again. */
const RETRY_MS = 5_000;

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

/** A button beside each command. Over plain HTTP from another machine browsers let no page copy. */
const offerCopies = (root) => {
  if (!navigator.clipboard) return;
  for (const command of root.querySelectorAll('[data-command]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Copy';
    const tell = () => (button.textContent = 'Copied');
    button.addEventListener('click', () => {
      void navigator.clipboard.writeText(command.textContent).then(tell);
    });
    command.after(' ', button);
  }
};

const draw = (root) => {
  showTimes(root);
  offerCopies(root);
  runClocks();
};

/** Whether somebody reads or writes in there: nothing is changed while they do. */
const isInUse = (part) =>
  part.contains(document.activeElement) ||
  (!getSelection().isCollapsed && getSelection().containsNode(part, true)) ||
  [...part.querySelectorAll('input:not([type=hidden]), textarea')].some((field) =>
    field.type === 'checkbox' ? field.checked : field.value !== field.defaultValue,
  );

/** What HTML says, whatever the clocks in it show. */
const essence = (html) => {
  const template = document.createElement('template');
  template.innerHTML = html;
  for (const clock of template.content.querySelectorAll('time')) clock.textContent = '';
  return template.innerHTML;
};

const replace = (part, html) => {
  const closed = [...part.querySelectorAll('details')].map(({ open }) => open);
  part.innerHTML = html;
  part.querySelectorAll('details').forEach((each, at) => {
    each.open = closed[at] ?? each.open;
  });
  draw(part);
};

/** Says that a part is not what it was, and lets the reader decide when to see it. */
const offer = (part, show) => {
  const note = document.createElement('p');
  note.className = 'notice problem';
  note.role = 'status';
  note.textContent = 'This part of the run has changed since you began. ';
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Show it as it is now';
  button.addEventListener('click', show);
  note.append(button);
  part.before(note);
  return note;
};

/** A run's story: the service sends the parts that have changed, as HTML. */
const follow = (root) => {
  const source = new EventSource(root.dataset.live);
  for (const part of root.querySelectorAll('[data-part]')) {
    let latest = part.innerHTML;
    let note;
    const show = () => {
      note?.remove();
      note = undefined;
      replace(part, latest);
    };
    source.addEventListener(part.dataset.part, ({ data }) => {
      const before = essence(latest);
      latest = JSON.parse(data);
      if (essence(latest) === before) return;
      if (!isInUse(part)) show();
      else note ??= offer(part, show);
    });
  }
  source.addEventListener('end', () => source.close());
  source.addEventListener('error', () => {
    // Otherwise the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(root), RETRY_MS);
  });
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
