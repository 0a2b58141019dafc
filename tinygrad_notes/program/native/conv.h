/* Convolution over one to three axes as products of matrices: windows of a stretch of positions are brought together
   as columns, which meet the weights. Threads share samples and stretches.

   x (N, C, S)  w (O, C / G, K)  y (N, O, P); sizes, kernel, places, stride, before and dilation per axis, outermost first. */

#include "windows.h"

/* Of convolution.c: float32 images without columns. */
#define DECLARE(WAY)                                                                                                  \
    extern void WAY##_forward(const Windows*, long, const float*, const float*, const float*, float*, float*);         \
    extern void WAY##_to_input(const Windows*, long, const float*, const float*, float*, float*);                      \
    extern void WAY##_to_weight(const Windows*, long, const float*, const float*, float*, float*);
DECLARE(direct)
DECLARE(tiled)

static inline long of3(const long* a) { return a[0] * a[1] * a[2]; }
static inline long least(long a, long b) { return a < b ? a : b; }

/* How many positions are brought together at once: as many as fill a good part of the second level of the cache. */
static inline long stretch(long rows, long positions) {
    long most = 49152 / (rows > 0 ? rows : 1);
    most = most < 64 ? 64 : most / 16 * 16;
    return least(most, positions);
}

#define CONVOLUTION(T, F, GEMM_ADD)                                                                                   \
    /* Run over the rows of positions first .. last of a stretch; `body` sees i, j (outer places), a .. b (inner) and   \
       `at`, where they start in the stretch. */                                                                      \
    static void bring_##F(const Windows* w, const T* x, long c, long first, long last, T* to) {                       \
        const long *S = w->size, *K = w->kernel, *P = w->places, count = last - first;                                \
        for (long k = 0; k < c * of3(K); ++k, to += count) {                                                          \
            const long kw = k % K[2], kh = k / K[2] % K[1], kd = k / K[2] / K[1] % K[0], ch = k / of3(K);             \
            long at = 0;                                                                                              \
            for (long p = first; p < last;) {                                                                         \
                const long j0 = p % P[2], h = p / P[2] % P[1], d = p / P[2] / P[1], m = least(P[2] - j0, last - p);   \
                const long z = d * w->stride[0] + kd * w->dilation[0] - w->before[0];                                 \
                const long y = h * w->stride[1] + kh * w->dilation[1] - w->before[1];                                 \
                T* row = to + at;                                                                                     \
                if (z < 0 || z >= S[0] || y < 0 || y >= S[1]) memset(row, 0, m * sizeof(T));                          \
                else {                                                                                                \
                    const T* from = x + ((ch * S[0] + z) * S[1] + y) * S[2];                                          \
                    const long start = j0 * w->stride[2] + kw * w->dilation[2] - w->before[2];                        \
                    if (w->stride[2] == 1) {                                                                          \
                        long a = start < 0 ? least(-start, m) : 0, b = least(m, S[2] - start);                        \
                        b = b < a ? a : b;                                                                            \
                        for (long q = 0; q < a; ++q) row[q] = 0;                                                      \
                        for (long q = a; q < b; ++q) row[q] = from[start + q];                                        \
                        for (long q = b; q < m; ++q) row[q] = 0;                                                      \
                    } else {                                                                                          \
                        for (long q = 0; q < m; ++q) {                                                                \
                            const long v = start + q * w->stride[2];                                                  \
                            row[q] = v < 0 || v >= S[2] ? 0 : from[v];                                                \
                        }                                                                                             \
                    }                                                                                                 \
                }                                                                                                     \
                at += m;                                                                                              \
                p += m;                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static void put_back_##F(const Windows* w, const T* from, long c, long first, long last, T* x) {                  \
        const long *S = w->size, *K = w->kernel, *P = w->places, count = last - first;                                \
        for (long k = 0; k < c * of3(K); ++k, from += count) {                                                        \
            const long kw = k % K[2], kh = k / K[2] % K[1], kd = k / K[2] / K[1] % K[0], ch = k / of3(K);             \
            long at = 0;                                                                                              \
            for (long p = first; p < last;) {                                                                         \
                const long j0 = p % P[2], h = p / P[2] % P[1], d = p / P[2] / P[1], m = least(P[2] - j0, last - p);   \
                const long z = d * w->stride[0] + kd * w->dilation[0] - w->before[0];                                 \
                const long y = h * w->stride[1] + kh * w->dilation[1] - w->before[1];                                 \
                if (z >= 0 && z < S[0] && y >= 0 && y < S[1]) {                                                       \
                    T* to = x + ((ch * S[0] + z) * S[1] + y) * S[2];                                                  \
                    const T* row = from + at;                                                                         \
                    const long start = j0 * w->stride[2] + kw * w->dilation[2] - w->before[2];                        \
                    if (w->stride[2] == 1) {                                                                          \
                        const long a = start < 0 ? least(-start, m) : 0, b = least(m, S[2] - start);                  \
                        for (long q = a; q < b; ++q) to[start + q] += row[q];                                         \
                    } else {                                                                                          \
                        for (long q = 0; q < m; ++q) {                                                                \
                            const long v = start + q * w->stride[2];                                                  \
                            if (v >= 0 && v < S[2]) to[v] += row[q];                                                  \
                        }                                                                                             \
                    }                                                                                                 \
                }                                                                                                     \
                at += m;                                                                                              \
                p += m;                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static int as_it_lies_##F(const Windows* w) {                                                                     \
        return of3(w->kernel) == 1 && of3(w->stride) == 1 && of3(w->places) == of3(w->size)                           \
            && w->before[0] == 0 && w->before[1] == 0 && w->before[2] == 0;                                           \
    }                                                                                                                 \
    static void conv_forward_##F(const Windows* w, const T* x, const T* weight, const T* bias, T* y, T* room) {       \
        const long c = w->c / w->g, o = w->o / w->g, rows = c * of3(w->kernel), P = of3(w->places), S = of3(w->size); \
        const long part = stretch(rows, P), parts = (P + part - 1) / part, lies = as_it_lies_##F(w);                  \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long item = 0; item < w->n * parts; ++item) {                                                            \
            const long n = item / parts, first = item % parts * part, last = least(first + part, P);                  \
            T* columns = room + omp_get_thread_num() * rows * part;                                                   \
            for (long g = 0; g < w->g; ++g) {                                                                         \
                const T* from = x + (n * w->c + g * c) * S;                                                           \
                T* to = y + (n * w->o + g * o) * P + first;                                                           \
                if (bias) for (long k = 0; k < o; ++k)                                                                \
                    for (long p = 0; p < last - first; ++p) to[k * P + p] = bias[g * o + k];                          \
                if (!lies) bring_##F(w, from, c, first, last, columns);                                               \
                GEMM_ADD(o, last - first, rows, weight + g * o * rows, rows, 1, lies ? from + first : columns,        \
                         lies ? S : last - first, 1, to, P, bias != 0);                                               \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static void conv_to_input_##F(const Windows* w, const T* y, const T* weight, T* x, T* room) {                     \
        const long c = w->c / w->g, o = w->o / w->g, rows = c * of3(w->kernel), P = of3(w->places), S = of3(w->size); \
        const long part = stretch(rows, P), lies = as_it_lies_##F(w);                                                 \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long item = 0; item < w->n * w->g; ++item) {                                                             \
            const long n = item / w->g, g = item % w->g;                                                              \
            T* columns = room + omp_get_thread_num() * rows * part;                                                   \
            T* to = x + (n * w->c + g * c) * S;                                                                       \
            if (!lies) memset(to, 0, c * S * sizeof(T));                                                              \
            for (long first = 0; first < P; first += part) {                                                          \
                const long last = least(first + part, P);                                                             \
                GEMM_ADD(rows, last - first, o, weight + g * o * rows, 1, rows, y + (n * w->o + g * o) * P + first,   \
                         P, 1, lies ? to + first : columns, lies ? S : last - first, 0);                              \
                if (!lies) put_back_##F(w, columns, c, first, last, to);                                              \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    /* Each thread adds up the samples it has; then the threads are added in their order. */                          \
    static void conv_to_weight_##F(const Windows* w, const T* x, const T* y, T* weight, T* room) {                    \
        const long c = w->c / w->g, o = w->o / w->g, rows = c * of3(w->kernel), P = of3(w->places), S = of3(w->size); \
        const long part = stretch(rows, P), lies = as_it_lies_##F(w), size = w->o * rows;                             \
        long used = 1;                                                                                                \
        _Pragma("omp parallel num_threads(THREADS)") {                                                                \
            const long t = omp_get_thread_num(), all = omp_get_num_threads();                                         \
            T* columns = room + t * (rows * part + size);                                                             \
            T* own = t ? columns + rows * part : weight;                                                              \
            if (t == 0) used = all;                                                                                   \
            memset(own, 0, size * sizeof(T));                                                                         \
            for (long n = w->n * t / all; n < w->n * (t + 1) / all; ++n)                                              \
                for (long g = 0; g < w->g; ++g)                                                                       \
                    for (long first = 0; first < P; first += part) {                                                  \
                        const long last = least(first + part, P);                                                     \
                        const T* from = x + (n * w->c + g * c) * S;                                                   \
                        if (!lies) bring_##F(w, from, c, first, last, columns);                                       \
                        GEMM_ADD(o, rows, last - first, y + (n * w->o + g * o) * P + first, P, 1,                     \
                                 lies ? from + first : columns, 1, lies ? S : last - first, own + g * o * rows, rows, 1); \
                    }                                                                                                 \
        }                                                                                                             \
        for (long t = 1; t < used; ++t) {                                                                             \
            const T* own = room + t * (rows * part + size) + rows * part;                                             \
            for (long k = 0; k < size; ++k) weight[k] += own[k];                                                      \
        }                                                                                                             \
    }
CONVOLUTION(float, f, gemm_f_add)
CONVOLUTION(double, d, gemm_d_add)
