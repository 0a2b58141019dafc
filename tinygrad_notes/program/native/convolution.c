/* Convolution of float32 images without columns: windows are read where they lie, channels last, and meet 16 or 32 output
   channels at a time in registers. Kernels of 3 x 3 go by minimal filtering (see backend/conv_tiles.py): of 6 x 6 numbers
   4 x 4 are made with 36 products, not 144.

   A library of its own, compiled once. Threads share the images. Arrays are x (N, C, H, W), w (O, C, K, L), y (N, O, P, Q);
   inside, an image is (H, W, C), and the weights lie in blocks of output channels: (O / B, K, L, C, B), B 16 or 32. */
#include "middle.h"
#include "windows.h"

/* An image (C, H, W) into (high, wide, ld), `top` and `left` away from its corner, zeros around it. */
static void channels_last(const float* x, long C, long H, long W, long top, long left, long high, long wide, long ld,
                          float* to) {
    const long area = H * W;
    if (!top && !left && wide == W && high <= H && ld == C) { turn(x, area, C, high * W, to, C); return; }
    if (!top && !left && wide == W && high == H) {
        if (ld != C) memset(to, 0, high * wide * ld * sizeof(float));
        turn(x, area, C, area, to, ld);
        return;
    }
    memset(to, 0, high * wide * ld * sizeof(float));
    for (long h = 0; h < H && h + top < high; ++h) {
        if (h + top < 0) continue;
        const long skip = left < 0 ? -left : 0, count = least(W, wide - left) - skip;
        if (count > 0) turn(x + h * W + skip, area, C, count, to + ((h + top) * wide + skip + left) * ld, ld);
    }
}

/* The weights in blocks -------------------------------------------------------------------------------------------------
   `back`: input and output channels exchanged and the kernel turned around, which gives the gradient for x. */
static void in_blocks(const float* w, long O, long C, long K, long L, int back, float* to) {
    const long outs = back ? C : O, ins = back ? O : C;
    for (long at = 0; at < outs; at += LANES * vectors(whole(outs), at)) {
        const long b = LANES * vectors(whole(outs), at);
        for (long k = 0; k < K; ++k) for (long l = 0; l < L; ++l) for (long c = 0; c < ins; ++c, to += b)
            for (long o = 0; o < b; ++o) {
                if (at + o >= outs) to[o] = 0;
                else to[o] = back ? w[((c * C + at + o) * K + K - 1 - k) * L + L - 1 - l] : w[(((at + o) * C + c) * K + k) * L + l];
            }
    }
}

/* The transpose of that for the gradient of the weights. */
static void out_of_blocks(const float* from, long O, long C, long K, long L, float* w) {
    for (long at = 0; at < O; at += LANES * vectors(whole(O), at)) {
        const long b = LANES * vectors(whole(O), at);
        for (long k = 0; k < K; ++k) for (long l = 0; l < L; ++l) for (long c = 0; c < C; ++c, from += b)
            for (long o = 0; o < b && at + o < O; ++o) w[(((at + o) * C + c) * K + k) * L + l] = from[o];
    }
}

/* Directly ----------------------------------------------------------------------------------------------------------- */
static inline long reach(const Windows* w, long a) {
    return (w->places[a] - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] + 1;
}

/* How many rows of results are turned at once. */
static inline long strip(long rows, long wide, long o) { return most(1, least(rows, 32768 / (wide * o))); }

/* Floats that `convolve` needs: the weights, and for each thread an image and a strip of results. */
long direct_room(const Windows* w, long threads) {
    const long O = whole(w->o), Q = w->places[2];
    return w->kernel[1] * w->kernel[2] * w->c * O + 64
        + threads * (whole(reach(w, 1) * reach(w, 2) * w->c) + strip(w->places[1], Q, O) * Q * O + 64);
}

/* y = b + w * x for the geometry `w`; with `back`, what is called x and weight is y and the weight of the other way. */
static void convolve(const Windows* w, long threads, const float* x, const float* weight, const float* bias, float* y,
                     float* room, int back) {
    const long K = w->kernel[1], L = w->kernel[2], C = w->c, O = whole(w->o), P = w->places[1], Q = w->places[2];
    const long high = reach(w, 1), wide = reach(w, 2), sh = w->stride[1], sw = w->stride[2], rows = strip(P, Q, O);
    const long image = whole(high * wide * C), tiles = blocks(Q);
    float* own = room + (K * L * C * O + 15) / 16 * 16;
    if (back) in_blocks(weight, w->c, w->o, K, L, 1, room);
    else in_blocks(weight, w->o, C, K, L, 0, room);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long n = 0; n < w->n; ++n) {
        float* inside = own + omp_get_thread_num() * (image + rows * Q * O);
        float* made = inside + image;
        channels_last(x + n * C * w->size[1] * w->size[2], C, w->size[1], w->size[2], w->before[1], w->before[2], high, wide, C,
                      inside);
        for (long first = 0; first < P; first += rows) {
            const long last = least(first + rows, P);
            const float* block = room;
            for (long at = 0; at < O;) {
                const long v = vectors(O, at);
                for (long p = first; p < last; ++p) for (long t = 0; t < tiles; ++t) {
                    const long q = Q * t / tiles, r = Q * (t + 1) / tiles - q;
                    middles[v - 1][r - 1](K, L, C, inside + (p * sh * wide + q * sw) * C, w->dilation[1] * wide * C,
                                          w->dilation[2] * C, 1, sw * C, block, v * LANES,
                                          made + ((p - first) * Q + q) * O + at, O, 0);
                }
                at += v * LANES;
                block += K * L * C * v * LANES;
            }
            float* to = y + n * w->o * P * Q + first * Q;
            turn(made, O, (last - first) * Q, w->o, to, P * Q);
            if (bias) for (long o = 0; o < w->o; ++o)
                for (long k = 0; k < (last - first) * Q; ++k) to[o * P * Q + k] += bias[o];
        }
    }
}

void direct_forward(const Windows* w, long threads, const float* x, const float* weight, const float* bias, float* y,
                    float* room) { convolve(w, threads, x, weight, bias, y, room, 0); }

/* The geometry of the gradient for x where steps are 1: a convolution of y. */
static Windows mirrored(const Windows* w) {
    Windows b = *w;
    b.c = w->o; b.o = w->c;
    for (int a = 0; a < 3; ++a) {
        b.size[a] = w->places[a]; b.places[a] = w->size[a];
        b.before[a] = (w->kernel[a] - 1) * w->dilation[a] - w->before[a];
    }
    return b;
}

void direct_to_input(const Windows* w, long threads, const float* y, const float* weight, float* x, float* room) {
    const Windows b = mirrored(w);
    convolve(&b, threads, y, weight, 0, x, room, 1);
}

long direct_input_room(const Windows* w, long threads) { const Windows b = mirrored(w); return direct_room(&b, threads); }

long direct_weight_room(const Windows* w, long threads) {
    const long O = whole(w->o), P = w->places[1], Q = w->places[2];
    return threads * (w->kernel[1] * w->kernel[2] * w->c * O + whole(reach(w, 1) * reach(w, 2) * w->c) + P * Q * O + 64);
}

/* Sums of all threads, in their order, into the first. */
static void add_up(float* room, long size, long apart, long threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long k = 0; k < size; ++k) for (long t = 1; t < threads; ++t) room[k] += room[t * apart + k];
}

void direct_to_weight(const Windows* w, long threads, const float* x, const float* y, float* weight, float* room) {
    const long K = w->kernel[1], L = w->kernel[2], C = w->c, O = whole(w->o), P = w->places[1], Q = w->places[2];
    const long high = reach(w, 1), wide = reach(w, 2), sh = w->stride[1], sw = w->stride[2];
    const long size = K * L * C * O, image = whole(high * wide * C), apart = size + image + P * Q * O;
    const long joint = w->dilation[2] == 1, length = joint ? L * C : C, pieces = joint ? 1 : L, tiles = blocks(length);
    threads = least(threads, w->n);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long part = 0; part < threads; ++part) {
        float *sums = room + part * apart, *inside = sums + size, *turned = inside + image;
        memset(sums, 0, size * sizeof(float));
        for (long n = w->n * part / threads; n < w->n * (part + 1) / threads; ++n) {
            channels_last(x + n * C * w->size[1] * w->size[2], C, w->size[1], w->size[2], w->before[1], w->before[2], high,
                          wide, C, inside);
            channels_last(y + n * w->o * P * Q, w->o, P, Q, 0, 0, P, Q, O, turned);
            float* to = sums;
            for (long at = 0; at < O;) {
                const long v = vectors(O, at);
                for (long k = 0; k < K; ++k) for (long l = 0; l < pieces; ++l) {
                    const float* from = inside + (k * w->dilation[1] * wide + l * w->dilation[2]) * C;
                    for (long t = 0; t < tiles; ++t) {
                        const long a = length * t / tiles, r = length * (t + 1) / tiles - a;
                        middles[v - 1][r - 1](P, 1, Q, from + a, sh * wide * C, 0, sw * C, 1, turned + at, O,
                                              to + a * v * LANES, v * LANES, 1);
                    }
                    to += length * v * LANES;
                }
                at += v * LANES;
            }
        }
    }
    add_up(room, size, apart, threads);
    out_of_blocks(room, w->o, C, K, L, weight);
}

/* By minimal filtering ----------------------------------------------------------------------------------------------- */
#define A1 0.625f
#define A2 1.5f
#define S1 (A1 * A1)
#define S2 (A2 * A2)

/* B^T: values of a polynomial of six coefficients at 0, +-A1, +-A2 and infinity, but for factors. */
INLINE void into_points(const vec* d, long step, vec* v, long to) {
    const vec e1 = d[4 * step] - S2 * d[2 * step], o1 = A1 * (d[3 * step] - S2 * d[step]);
    const vec e2 = d[4 * step] - S1 * d[2 * step], o2 = A2 * (d[3 * step] - S1 * d[step]);
    v[0] = d[4 * step] - (S1 + S2) * d[2 * step] + (S1 * S2) * d[0];
    v[to] = e1 + o1;
    v[2 * to] = e1 - o1;
    v[3 * to] = e2 + o2;
    v[4 * to] = e2 - o2;
    v[5 * to] = d[5 * step] - (S1 + S2) * d[3 * step] + (S1 * S2) * d[step];
}

/* A^T: four numbers of six points. */
INLINE void out_of_points(const vec* m, long step, vec* y, long to) {
    const vec e1 = m[step] + m[2 * step], o1 = m[step] - m[2 * step];
    const vec e2 = m[3 * step] + m[4 * step], o2 = m[3 * step] - m[4 * step];
    y[0] = m[0] + e1 + e2;
    y[to] = A1 * o1 + A2 * o2;
    y[2 * to] = S1 * e1 + S2 * e2;
    y[3 * to] = (A1 * S1) * o1 + (A2 * S2) * o2 + m[5 * step];
}

/* A: six points of four numbers. */
INLINE void spread_points(const vec* y, long step, vec* m, long to) {
    const vec e1 = y[0] + S1 * y[2 * step], o1 = A1 * (y[step] + S1 * y[3 * step]);
    const vec e2 = y[0] + S2 * y[2 * step], o2 = A2 * (y[step] + S2 * y[3 * step]);
    m[0] = y[0];
    m[to] = e1 + o1;
    m[2 * to] = e1 - o1;
    m[3 * to] = e2 + o2;
    m[4 * to] = e2 - o2;
    m[5 * to] = y[3 * step];
}

#define F0 (1 / (S1 * S2))
#define F1 (1 / (2 * S1 * (S1 - S2)))
#define F2 (1 / (2 * S2 * (S2 - S1)))

/* G: six points of three weights; and its transpose. */
INLINE void weigh_points(const float* w, long step, float* u, long to) {
    const float e1 = F1 * (w[0] + S1 * w[2 * step]), o1 = F1 * A1 * w[step];
    const float e2 = F2 * (w[0] + S2 * w[2 * step]), o2 = F2 * A2 * w[step];
    u[0] = F0 * w[0];
    u[to] = e1 + o1;
    u[2 * to] = e1 - o1;
    u[3 * to] = e2 + o2;
    u[4 * to] = e2 - o2;
    u[5 * to] = w[2 * step];
}
INLINE void weights_of_points(const vec* u, long step, vec* w, long to) {
    const vec e1 = F1 * (u[step] + u[2 * step]), o1 = (F1 * A1) * (u[step] - u[2 * step]);
    const vec e2 = F2 * (u[3 * step] + u[4 * step]), o2 = (F2 * A2) * (u[3 * step] - u[4 * step]);
    w[0] = F0 * u[0] + e1 + e2;
    w[to] = o1 + o2;
    w[2 * to] = S1 * e1 + S2 * e2 + u[5 * step];
}

/* All tiles of a channels-last image (4 TH + 2, 4 TW + 2, C) at 36 points: (36, TH TW, C). */
static void tiles_in(const float* x, long TH, long TW, long C, float* v) {
    const long wide = 4 * TW + 2, plane = TH * TW * C;
    for (long h = 0; h < TH; ++h) for (long t = 0; t < TW; ++t) for (long c = 0; c < C; c += LANES) {
        vec d[36], m[36];
        const float* p = x + (4 * h * wide + 4 * t) * C + c;
        for (int i = 0; i < 6; ++i) for (int j = 0; j < 6; ++j) d[6 * i + j] = load(p + (i * wide + j) * C);
        for (int j = 0; j < 6; ++j) into_points(d + j, 6, m + j, 6);
        for (int i = 0; i < 6; ++i) into_points(m + 6 * i, 1, d + 6 * i, 1);
        float* to = v + (h * TW + t) * C + c;
        for (int k = 0; k < 36; ++k) store(to + k * plane, d[k]);
    }
}

/* The cotangent (4 TH, 4 TW, O) at the 36 points. */
static void tiles_spread(const float* y, long TH, long TW, long O, float* v) {
    const long wide = 4 * TW, plane = TH * TW * O;
    for (long h = 0; h < TH; ++h) for (long t = 0; t < TW; ++t) for (long o = 0; o < O; o += LANES) {
        vec d[16], m[24], e[36];
        const float* p = y + (4 * h * wide + 4 * t) * O + o;
        for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j) d[4 * i + j] = load(p + (i * wide + j) * O);
        for (int j = 0; j < 4; ++j) spread_points(d + j, 4, m + j, 4);
        for (int i = 0; i < 6; ++i) spread_points(m + 4 * i, 1, e + 6 * i, 1);
        float* to = v + (h * TW + t) * O + o;
        for (int k = 0; k < 36; ++k) store(to + k * plane, e[k]);
    }
}

/* (36, TH TW, O) -> (4 TH, 4 TW, O) */
static void tiles_out(const float* m, long TH, long TW, long O, float* y) {
    const long wide = 4 * TW, plane = TH * TW * O;
    for (long h = 0; h < TH; ++h) for (long t = 0; t < TW; ++t) for (long o = 0; o < O; o += LANES) {
        vec d[36], e[24], f[16];
        const float* p = m + (h * TW + t) * O + o;
        for (int k = 0; k < 36; ++k) d[k] = load(p + k * plane);
        for (int j = 0; j < 6; ++j) out_of_points(d + j, 6, e + j, 6);
        for (int i = 0; i < 4; ++i) out_of_points(e + 6 * i, 1, f + 4 * i, 1);
        float* to = y + (4 * h * wide + 4 * t) * O + o;
        for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j) store(to + (i * wide + j) * O, f[4 * i + j]);
    }
}

/* The weights at 36 points, in blocks: (36, O / B, C, B). */
static void weights_in(const float* w, long O, long C, int back, float* u) {
    const long outs = whole(back ? C : O), ins = back ? O : C, plane = outs * ins;
    for (long at = 0; at < outs; at += LANES * vectors(outs, at)) {
        const long b = LANES * vectors(outs, at);
        for (long c = 0; c < ins; ++c) for (long o = at; o < at + b; ++o) {
            float g[9], h[18], f[36];
            const float* p = back ? w + (c * C + o) * 9 : w + (o * C + c) * 9;
            const int there = o < (back ? C : O);
            for (int k = 0; k < 9; ++k) g[k] = there ? p[back ? 8 - k : k] : 0;
            for (int j = 0; j < 3; ++j) weigh_points(g + j, 3, h + j, 3);
            for (int i = 0; i < 6; ++i) weigh_points(h + 3 * i, 1, f + 6 * i, 1);
            for (int k = 0; k < 36; ++k) u[k * plane + at * ins + c * b + o - at] = f[k];
        }
    }
}

long tiled_room(const Windows* w, long threads) {
    const long TH = (w->places[1] + 3) / 4, TW = (w->places[2] + 3) / 4, O = whole(w->o), T = TH * TW;
    return 36 * w->c * O + 64 + threads * (most((4 * TH + 2) * (4 * TW + 2) * w->c, 16 * T * O) + 36 * T * (w->c + O) + 64);
}

static void convolve_tiled(const Windows* w, long threads, const float* x, const float* weight, const float* bias, float* y,
                           float* room, int back) {
    const long C = w->c, O = whole(w->o), P = w->places[1], Q = w->places[2], TH = (P + 3) / 4, TW = (Q + 3) / 4, T = TH * TW;
    const long image = most((4 * TH + 2) * (4 * TW + 2) * C, 16 * T * O), parts = blocks(T);
    float* own = room + 36 * C * O;
    if (back) weights_in(weight, C, w->o, 1, room);
    else weights_in(weight, w->o, C, 0, room);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long n = 0; n < w->n; ++n) {
        float* inside = own + omp_get_thread_num() * (image + 36 * T * (C + O));
        float *v = inside + image, *m = v + 36 * T * C;
        channels_last(x + n * C * w->size[1] * w->size[2], C, w->size[1], w->size[2], w->before[1], w->before[2], 4 * TH + 2,
                      4 * TW + 2, C, inside);
        tiles_in(inside, TH, TW, C, v);
        for (long k = 0; k < 36; ++k) for (long at = 0; at < O;) {
            const long s = vectors(O, at);
            for (long t = 0; t < parts; ++t) {
                const long a = T * t / parts, r = T * (t + 1) / parts - a;
                middles[s - 1][r - 1](1, 1, C, v + (k * T + a) * C, 0, 0, 1, C, room + k * C * O + at * C, s * LANES,
                                      m + (k * T + a) * O + at, O, 0);
            }
            at += s * LANES;
        }
        tiles_out(m, TH, TW, O, inside);
        float* to = y + n * w->o * P * Q;
        if (Q == 4 * TW) turn(inside, O, P * Q, w->o, to, P * Q);
        else for (long p = 0; p < P; ++p) turn(inside + p * 4 * TW * O, O, Q, w->o, to + p * Q, P * Q);
        if (bias) for (long o = 0; o < w->o; ++o) for (long k = 0; k < P * Q; ++k) to[o * P * Q + k] += bias[o];
    }
}

void tiled_forward(const Windows* w, long threads, const float* x, const float* weight, const float* bias, float* y,
                   float* room) { convolve_tiled(w, threads, x, weight, bias, y, room, 0); }

void tiled_to_input(const Windows* w, long threads, const float* y, const float* weight, float* x, float* room) {
    const Windows b = mirrored(w);
    convolve_tiled(&b, threads, y, weight, 0, x, room, 1);
}

long tiled_input_room(const Windows* w, long threads) { const Windows b = mirrored(w); return tiled_room(&b, threads); }

long tiled_weight_room(const Windows* w, long threads) {
    const long TH = (w->places[1] + 3) / 4, TW = (w->places[2] + 3) / 4, O = whole(w->o), T = TH * TW;
    return threads * (36 * w->c * O + most((4 * TH + 2) * (4 * TW + 2) * w->c, 16 * T * O) + 36 * T * (w->c + O) + 64);
}

void tiled_to_weight(const Windows* w, long threads, const float* x, const float* y, float* weight, float* room) {
    const long C = w->c, O = whole(w->o), P = w->places[1], Q = w->places[2], TH = (P + 3) / 4, TW = (Q + 3) / 4, T = TH * TW;
    const long size = 36 * C * O, image = most((4 * TH + 2) * (4 * TW + 2) * C, 16 * T * O);
    const long apart = size + image + 36 * T * (C + O), parts = blocks(C);
    threads = least(threads, w->n);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long part = 0; part < threads; ++part) {
        float *sums = room + part * apart, *inside = sums + size, *v = inside + image, *m = v + 36 * T * C;
        memset(sums, 0, size * sizeof(float));
        for (long n = w->n * part / threads; n < w->n * (part + 1) / threads; ++n) {
            channels_last(x + n * C * w->size[1] * w->size[2], C, w->size[1], w->size[2], w->before[1], w->before[2],
                          4 * TH + 2, 4 * TW + 2, C, inside);
            tiles_in(inside, TH, TW, C, v);
            channels_last(y + n * w->o * P * Q, w->o, P, Q, 0, 0, 4 * TH, 4 * TW, O, inside);
            tiles_spread(inside, TH, TW, O, m);
            for (long k = 0; k < 36; ++k) for (long at = 0; at < O;) {
                const long s = vectors(O, at);
                for (long t = 0; t < parts; ++t) {
                    const long a = C * t / parts, r = C * (t + 1) / parts - a;
                    middles[s - 1][r - 1](1, 1, T, v + k * T * C + a, 0, 0, C, 1, m + k * T * O + at, O,
                                          sums + k * C * O + at * C + a * s * LANES, s * LANES, 1);
                }
                at += s * LANES;
            }
        }
    }
    add_up(room, size, apart, threads);
    for (long at = 0; at < O; at += LANES * vectors(O, at)) {
        const long b = LANES * vectors(O, at);
        for (long c = 0; c < C; ++c) for (long o = 0; o < b; o += LANES) {
            vec u[36], h[18], g[9];
            for (int k = 0; k < 36; ++k) u[k] = load(room + k * C * O + at * C + c * b + o);
            for (int j = 0; j < 6; ++j) weights_of_points(u + j, 6, h + j, 6);
            for (int i = 0; i < 3; ++i) weights_of_points(h + 6 * i, 1, g + 3 * i, 1);
            for (int lane = 0; lane < LANES && at + o + lane < w->o; ++lane)
                for (int k = 0; k < 9; ++k) weight[((at + o + lane) * C + c) * 9 + k] = g[k][lane];
        }
    }
}
