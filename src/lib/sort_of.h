// Included by slice_numbers.c once a size, with NUMBER, an unsigned type, and NAME(x), which makes
// x that type's. Defines sort(at, n, kind, infinity, sign_bit).

static void NAME(insertion)(NUMBER *at, size_t n) {
  for (size_t i = 1; i < n; i++) {
    NUMBER v = at[i];
    size_t j = i;
    for (; j > 0 && v < at[j - 1]; j--) at[j] = at[j - 1];
    at[j] = v;
  }
}

static void NAME(sift)(NUMBER *at, size_t root, size_t n) {
  NUMBER v = at[root];
  for (size_t child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && at[child] < at[child + 1]) child++;
    if (v >= at[child]) break;
    at[root] = at[child];
  }
  at[root] = v;
}

static void NAME(heap)(NUMBER *at, size_t n) {
  for (size_t root = n / 2; root-- > 0;) NAME(sift)(at, root, n);
  while (n-- > 1) {
    NUMBER v = at[0];
    at[0] = at[n];
    at[n] = v;
    NAME(sift)(at, 0, n);
  }
}

static NUMBER NAME(median)(NUMBER a, NUMBER b, NUMBER c) {
  if (b < a) return c < b ? b : c < a ? c : a;
  return c < a ? a : c < b ? c : b;
}

// Cuts at[0..n), n > 12, into two parts, neither empty: no number of the first, which has as many
// as the result, is larger than any of the second. The pivot is a value of the part and neither its
// only largest nor, unless the last is as small, its only smallest.
static size_t NAME(cut)(NUMBER *at, size_t n) {
  NUMBER *last = at + n - 1, *middle = at + n / 2, pivot = NAME(median)(*at, *middle, *last);
  if (n > 100) {
    size_t step = n / 8;
    pivot = NAME(median)(NAME(median)(at[0], at[step], at[2 * step]),
                         NAME(median)(middle[0], middle[step], *(middle - step)),
                         NAME(median)(*last, *(last - step), *(last - 2 * step)));
  }
  size_t i = 0, j = n - 1;
  for (;;) {
    while (at[i] < pivot) i++;
    while (pivot < at[j]) j--;
    if (i >= j) return j + 1;
    NUMBER v = at[i];
    at[i++] = at[j];
    at[j--] = v;
  }
}

static void NAME(quick)(NUMBER *at, size_t n, int levels) {
  while (n > 24) {
    if (levels-- == 0) {
      NAME(heap)(at, n);
      return;
    }
    size_t left = NAME(cut)(at, n);
    if (left < n - left) {
      NAME(quick)(at, left, levels);
      at += left;
      n -= left;
    } else {
      NAME(quick)(at + left, n - left, levels);
      n = left;
    }
  }
  NAME(insertion)(at, n);
}

static void NAME(sort)(NUMBER *at, size_t n, bw_number kind, NUMBER infinity, int sign_bit) {
  const NUMBER sign = (NUMBER)((NUMBER)1 << (sizeof(NUMBER) * 8 - 1));
  if (kind == BW_NUMBER_FLOAT) {
    size_t first = 0; // behind the not-a-numbers
    for (size_t i = 0; i < n; i++)
      if ((at[i] & (NUMBER)~sign) > infinity) {
        NUMBER v = at[i];
        at[i] = at[first];
        at[first++] = v;
      }
    at += first;
    n -= first;
    for (size_t i = 0; i < n; i++) at[i] ^= (NUMBER)(sign | (0 - (at[i] >> sign_bit)));
  } else if (kind == BW_NUMBER_SIGNED) {
    for (size_t i = 0; i < n; i++) at[i] ^= sign;
  }
  int levels = 0;
  for (size_t k = n; k > 0; k >>= 1) levels += 2;
  NAME(quick)(at, n, levels);
  if (kind == BW_NUMBER_FLOAT)
    for (size_t i = 0; i < n; i++) at[i] ^= (NUMBER)(sign | ((at[i] >> sign_bit) - 1));
  else if (kind == BW_NUMBER_SIGNED)
    for (size_t i = 0; i < n; i++) at[i] ^= sign;
}
