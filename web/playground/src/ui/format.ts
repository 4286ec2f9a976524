// Numbers as people read them.

const units = ['B', 'KB', 'MB', 'GB'];

export function bytes(n: number): string {
  let unit = 0;
  let value = n;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${units[unit]}`;
}

const grouped = new Intl.NumberFormat('en');

export const count = (n: number | bigint): string => grouped.format(n);
export const hex = (address: number): string => `0x${(address >>> 0).toString(16).padStart(8, '0')}`;
export const signed = (n: number): string => (n > 0 ? `+${count(n)}` : count(n));
export const percent = (value: number): string => `${value.toFixed(2)}%`;
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export function duration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
