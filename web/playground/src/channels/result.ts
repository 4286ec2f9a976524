// What came out, and whether it is what must come out.
import { count, duration } from '../ui/format.ts';
import { fill, h, output, show } from '../ui/dom.ts';
import { texts } from './demo.ts';
import type { Run } from './run.ts';

export class ResultView {
  readonly element = h('div', { class: 'result', 'aria-live': 'polite', 'data-testid': 'chan-result' });
  readonly #run: Run;
  #shown = '';

  constructor(run: Run) {
    this.#run = run;
  }

  render(): void {
    const { state, options, stopped, lines } = this.#run;
    const end = state?.running === false ? state.elapsedMs : '';
    const key = [options?.demo, state?.running, stopped, lines.length, end].join(' ');
    if (key === this.#shown) return; // so that it is read out once
    this.#shown = key;
    this.element.dataset.state = !state ? 'none' : state.running ? 'running' : stopped ? 'stopped' : 'done';
    if (!state || !options) return fill(this.element, h('p', { class: 'hint' }, 'Nothing has run yet.'));
    if (options.demo === 'test4') return this.#test4();
    if (state.running)
      return fill(
        this.element,
        h(
          'p',
          null,
          stopped ? 'Stopping: the source of values ends, and closing its channel ends the rest.' : 'Running…',
        ),
      );
    fill(
      this.element,
      ...this.#verdict(),
      h('p', { class: 'hint' }, `${stopped ? 'Stopped' : 'Finished'} after `, this.#elapsed(), '.'),
    );
  }

  #verdict(): HTMLElement[] {
    const { options, state, stopped } = this.#run;
    const {
      result,
      expected,
      resultParts: [prime, found],
      sent,
      received,
    } = state!;
    switch (options!.demo) {
      case 'producers':
        return [this.#compare('chan-sum', 'Sum received', result, 'chan-expected', 'sum sent', expected)];
      case 'pingpong':
        if (stopped)
          return [
            this.#line(
              'chan-trips',
              result,
              `${count(result)} round trips before the stop; ${count(sent)} sends, ${count(received)} receives`,
            ),
          ];
        return [this.#compare('chan-trips', 'Round trips', result, 'chan-expected', 'asked for', expected)];
      default: {
        const must = nthPrime(found);
        const first = this.#line('chan-found', found, `${count(found)} primes`);
        return found === 0
          ? [first]
          : [
              first,
              this.#compare(
                'chan-prime',
                'The last one',
                BigInt(prime),
                'chan-expected',
                `prime number ${count(found)} by plain trial`,
                BigInt(must),
              ),
            ];
      }
    }
  }

  #test4(): void {
    const { lines, state, stopped } = this.#run;
    fill(
      this.element,
      h(
        'ol',
        { class: 'lines', 'data-testid': 'test4-lines' },
        ...lines.map(({ words, at }) =>
          h(
            'li',
            { 'data-value': texts[words] },
            h('code', null, texts[words]),
            h('span', { class: 'hint' }, ` at ${duration(at)}`),
          ),
        ),
      ),
      h(
        'p',
        { class: 'hint' },
        state!.running ? 'Running…' : stopped ? 'Stopped.' : 'Finished after ',
        !state!.running && !stopped && this.#elapsed(),
      ),
    );
  }

  #elapsed(): HTMLElement {
    const shown = output('chan-elapsed');
    show(shown, this.#run.state!.elapsedMs, duration(this.#run.state!.elapsedMs));
    return shown;
  }

  #line(testid: string, value: number | bigint, words: string): HTMLElement {
    const shown = output(testid);
    show(shown, value, words);
    return h('p', { class: 'verdict' }, shown);
  }

  #compare(testid: string, label: string, got: bigint, otherId: string, otherLabel: string, want: bigint): HTMLElement {
    const right = got === want;
    const [a, b] = [output(testid), output(otherId)];
    show(a, got, count(got));
    show(b, want, count(want));
    return h(
      'p',
      {
        class: `verdict ${right ? 'right' : 'wrong'}`,
        'data-testid': 'chan-check',
        'data-value': right ? 'ok' : 'wrong',
      },
      `${label}: `,
      a,
      right ? ' = ' : ' ≠ ',
      `${otherLabel}: `,
      b,
      h('strong', null, right ? ' ✓ exact' : ' ✗ wrong'),
    );
  }
}

// Found the plain way, so that the sieve of goroutines has something to be checked against.
export function nthPrime(n: number): number {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < n; candidate++) {
    let prime = true;
    for (const p of primes) {
      if (p * p > candidate) break;
      if (candidate % p === 0) {
        prime = false;
        break;
      }
    }
    if (prime) primes.push(candidate);
  }
  return primes.at(-1) ?? 0;
}
