import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Bar, Compared } from './bars.ts';

/** Told apart on light and on dark. */
const COLORS: Record<Bar['who'], string> = {
  'fast lane': '#1a9e77',
  'standard lane': '#3b82d6',
  ours: '#3b82d6',
  plain: '#8b949e',
  'bare route': '#8b949e',
};
const WIDTH = 760;
const BAR_HEIGHT = 20;
const FIGURE_HEIGHT = 34;

/** A background of its own, so that the text on it can be read whatever page it is shown on. */
const STYLE = `
svg { background: #ffffff; color: #1f2328; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3; } }`;

/** Draws a picture as the text of an SVG file: a group of bars for each figure, and a line at 1. */
export function draw(title: string, bars: readonly Bar[], compared: Compared = 'plain'): string {
  const { document } = parseHTML('<html><body></body></html>');
  const figures = [...new Set(bars.map(({ figure }) => figure))];
  const longest = Math.max(1, ...bars.map(({ high }) => high));
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: 80 + bars.length * BAR_HEIGHT + figures.length * FIGURE_HEIGHT,
    marginLeft: 110,
    marginRight: 70,
    marginTop: 46,
    marginBottom: 40,
    x: { domain: [0, longest * 1.05], label: `${compared} = 1`, labelAnchor: 'center', grid: true },
    y: { axis: null, domain: rowsFor(bars, figures) },
    marks: [
      Plot.barX(bars, {
        x: 'length',
        y: keyOf,
        fill: (bar: Bar) => COLORS[bar.who],
        insetTop: 2,
        insetBottom: 2,
      }),
      Plot.ruleX([1], { strokeDasharray: '4 3' }),
      Plot.ruleY(bars, { x1: 'low', x2: 'high', y: keyOf, strokeWidth: 2 }),
      Plot.text(bars, { x: 'high', y: keyOf, text: 'text', dx: 6, textAnchor: 'start' }),
      Plot.text(bars, { x: 0, y: keyOf, text: 'who', dx: -6, textAnchor: 'end' }),
      Plot.text(figures, {
        x: 0,
        y: headOf,
        text: (figure: string) => figure,
        textAnchor: 'start',
        fontWeight: 'bold',
        dy: 4,
      }),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  svg.removeAttribute('font-family');
  const style = document.createElement('style');
  style.textContent = STYLE;
  svg.append(style);
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  for (const [name, value] of Object.entries({ x: 12, y: 24, 'font-size': 15 })) {
    heading.setAttribute(name, String(value));
  }
  heading.setAttribute('text-anchor', 'start');
  heading.setAttribute('fill', 'currentColor');
  heading.textContent = title;
  svg.append(heading);
  return `${svg.outerHTML}\n`;
}

/** The places from the top: each figure's name above its bars. */
function rowsFor(bars: readonly Bar[], figures: readonly string[]): string[] {
  return figures.flatMap((figure) => [
    headOf(figure),
    ...bars.filter((bar) => bar.figure === figure).map(keyOf),
  ]);
}

function headOf(figure: string): string {
  return `${figure}\u0000`;
}

function keyOf({ figure, who }: Bar): string {
  return `${figure}\u0000${who}`;
}
