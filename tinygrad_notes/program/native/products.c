/* Products of float32 matrices with any strides: out (m, n) = x (m, k) y (k, n), row by row. Panels of 16 or 32 columns of y
   are brought together, for a stretch of k that fits the cache, and meet rows of x in registers.

   A library of its own, compiled once. */
#include "middle.h"

#define DEEP 320   /* of k at once */
#define PACK 48    /* rows of x brought together where they do not follow each other well in memory */
#define TALL 98304 /* numbers of x brought together at once where its columns are what lies together */

/* Of k at once; `across`: the numbers of a column of x follow each other, and a stretch of k is brought together whole. */
static inline long depth(long m, long k, int across) {
    return least(k, across ? least(DEEP, most(16, TALL / m)) : DEEP);
}

/* Floats of room per thread. */
long product_room(long m, long n, long k) {
    const long small = whole(least(m, n)), large = most(m, n);
    return 64 + DEEP * whole(n) + DEEP * small + TALL + 16 * large + DEEP * PACK + ROWS * BLOCK + (small <= 2 * BLOCK ? large * small : 0);
}

/* Rows k0 .. k0 + d of y as panels. */
static void panels(const float* y, long yk, long yn, long n, long d, float* to) {
    for (long at = 0; at < n;) {
        const long b = LANES * vectors(whole(n), at), there = least(b, n - at);
        if (yn == 1) {
            for (long k = 0; k < d; ++k) {
                const float* from = y + k * yk + at;
                float* row = to + k * b;
                if (there == b) for (long j = 0; j < b; ++j) row[j] = from[j];
                else for (long j = 0; j < b; ++j) row[j] = j < there ? from[j] : 0;
            }
        } else if (yk == 1) {
            if (there < b) memset(to, 0, d * b * sizeof(float));
            turn(y + at * yn, yn, there, d, to, b);
        } else {
            for (long k = 0; k < d; ++k) for (long j = 0; j < b; ++j) to[k * b + j] = j < there ? y[k * yk + (at + j) * yn] : 0;
        }
        at += b;
        to += d * b;
    }
}

static void one_product(long m, long n, long k, const float* x, long xm, long xk, const float* y, long yk, long yn, float* out,
                        long ld, float* room) {
    const int across = xm == 1 && xk != 1, even = xk == 1 && xm % 256 == 0, pack = across || ((even || xk != 1) && n > 64);
    const long d0 = depth(m, k, across), group = pack ? PACK : m;
    float *edge = room, *packed = edge + ROWS * BLOCK, *own = packed + d0 * whole(n);
    for (long k0 = 0; k0 < k; k0 += d0) {
        const long d = least(d0, k - k0);
        panels(y + k0 * yk, yk, yn, n, d, packed);
        if (across) for (long c = 0; c < d; ++c) {
            const float* from = x + (k0 + c) * xk;
            for (long m0 = 0; m0 < m; m0 += PACK)
                memcpy(own + m0 * d + c * PACK, from + m0, least(PACK, m - m0) * sizeof(float));
        }
        for (long m0 = 0; m0 < m; m0 += group) {
            const long rows = least(group, m - m0), tiles = blocks(rows);
            const float* from = x + m0 * xm + k0 * xk;
            long step = xm, inc = xk;
            if (pack) {
                if (across) from = own + m0 * d;
                else {
                    if (xk == 1) turn(from, xm, rows, d, own, PACK);
                    else for (long c = 0; c < d; ++c) for (long r = 0; r < rows; ++r) own[c * PACK + r] = from[c * xk + r * xm];
                    from = own;
                }
                step = 1;
                inc = PACK;
            }
            for (long at = 0; at < n;) {
                const long v = vectors(whole(n), at), b = v * LANES;
                const float* panel = packed + at * d;
                for (long t = 0; t < tiles; ++t) {
                    const long a = rows * t / tiles, r = rows * (t + 1) / tiles - a;
                    float* to = out + (m0 + a) * ld + at;
                    if (at + b <= n) {
                        middles[v - 1][r - 1](1, 1, d, from + a * step, 0, 0, inc, step, panel, b, to, ld, k0 > 0);
                    } else {
                        middles[v - 1][r - 1](1, 1, d, from + a * step, 0, 0, inc, step, panel, b, edge, b, 0);
                        for (long i = 0; i < r; ++i) for (long j = 0; j < n - at; ++j)
                            to[i * ld + j] = k0 > 0 ? to[i * ld + j] + edge[i * b + j] : edge[i * b + j];
                    }
                }
                at += b;
            }
        }
    }
}

/* By one thread. Few rows and many columns change places: x is what is brought together. */
void product_1(long m, long n, long k, const float* x, long xm, long xk, const float* y, long yk, long yn, float* out, long ld,
               float* room) {
    if (whole(m) <= 2 * BLOCK && n > 4 * m) {
        float* rest = room + n * whole(m);
        one_product(n, m, k, y, yn, yk, x, xk, xm, room, m, rest);
        turn(room, m, n, m, out, ld);
        return;
    }
    one_product(m, n, k, x, xm, xk, y, yk, yn, out, ld, room);
}

void product(long threads, long m, long n, long k, const float* x, long xm, long xk, const float* y, long yk, long yn,
             float* out, long ld, float* room) {
    const long apart = product_room(m, n, k) / 16 * 16;
    if ((double)m * n * k < 4000000.0) threads = 1;
    if (threads == 1) { product_1(m, n, k, x, xm, xk, y, yk, yn, out, ld, room); return; }
#pragma omp parallel num_threads(threads)
    {
        const long t = omp_get_thread_num(), all = omp_get_num_threads();
        if (n >= 2 * m) {
            const long parts = (n + BLOCK - 1) / BLOCK, a = parts * t / all * BLOCK, b = least(n, parts * (t + 1) / all * BLOCK);
            if (b > a) product_1(m, b - a, k, x, xm, xk, y + a * yn, yk, yn, out + a, ld, room + t * apart);
        } else {
            const long a = m * t / all, b = m * (t + 1) / all;
            if (b > a) product_1(b - a, n, k, x + a * xm, xm, xk, y, yk, yn, out + a * ld, ld, room + t * apart);
        }
    }
}
