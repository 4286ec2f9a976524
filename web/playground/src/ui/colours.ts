// Colours that tell things apart: size classes, workers, goroutines. Neighbouring numbers get hues far
// from each other (steps of the golden angle); lightness follows the page's colour scheme.

const dark = matchMedia('(prefers-color-scheme: dark)');

export const isDark = (): boolean => dark.matches;
export function onSchemeChange(redraw: () => void): void {
  dark.addEventListener('change', redraw);
}

const cache = new Map<string, string>();

export function hue(index: number, strength = 1): string {
  const key = `${index}:${strength}:${dark.matches}`;
  let colour = cache.get(key);
  if (!colour) {
    const angle = (index * 137.508 + 190) % 360;
    const band = index % 3;
    const lightness = dark.matches ? 52 + band * 7 : 42 + band * 7;
    const saturation = 48 + 12 * strength;
    const faded = lightness + (1 - strength) * (dark.matches ? -22 : 34);
    colour = `hsl(${angle.toFixed(0)} ${saturation.toFixed(0)}% ${faded.toFixed(0)}%)`;
    if (cache.size > 4096) cache.clear();
    cache.set(key, colour);
  }
  return colour;
}

// A custom property of the style sheet, for canvases and charts.
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
