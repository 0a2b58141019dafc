/* Kernels over rows that share an id, and over windows of which the largest element counts. */

/* out[ids[e]] += values[e]: each thread has a stretch of the result and walks all ids, so that sums keep their order. */
#define ROWS(T, F)                                                                                                    \
    static int sum_rows_##F(long e, long n, long width, const T* values, const int64_t* ids, T* out) {                \
        int bad = 0;                                                                                                  \
        _Pragma("omp parallel num_threads(e * width > 65536 ? THREADS : 1)") {                                        \
            const long t = omp_get_thread_num(), all = omp_get_num_threads(), a = n * t / all, b = n * (t + 1) / all; \
            memset(out + a * width, 0, (b - a) * width * sizeof(T));                                                  \
            for (long k = 0; k < e; ++k) {                                                                            \
                long row = ids[k] < 0 ? ids[k] + n : ids[k];                                                          \
                if (row < 0 || row >= n) { bad = 1; continue; }                                                       \
                if (row < a || row >= b) continue;                                                                    \
                T* to = out + row * width;                                                                            \
                const T* from = values + k * width;                                                                   \
                for (long j = 0; j < width; ++j) to[j] += from[j];                                                    \
            }                                                                                                         \
        }                                                                                                             \
        return bad;                                                                                                   \
    }                                                                                                                 \
    /* The largest of each window and its number; of equal elements the first, of several NaN the last. */            \
    static void window_max_##F(long lead, const long* S, const long* P, const long* K, const long* stride,            \
                               const long* before, const long* dilation, const T* x, T* out, uint8_t* number) {       \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long n = 0; n < lead; ++n) {                                                                             \
            const T* plane = x + n * S[0] * S[1] * S[2];                                                              \
            for (long d = 0; d < P[0]; ++d)                                                                           \
                for (long h = 0; h < P[1]; ++h) {                                                                     \
                    T* to = out + ((n * P[0] + d) * P[1] + h) * P[2];                                                 \
                    uint8_t* at = number ? number + ((n * P[0] + d) * P[1] + h) * P[2] : 0;                           \
                    for (long w = 0; w < P[2]; ++w) {                                                                 \
                        T best = 0;                                                                                   \
                        long which = -1;                                                                              \
                        for (long kd = 0; kd < K[0]; ++kd) {                                                          \
                            const long z = d * stride[0] + kd * dilation[0] - before[0];                              \
                            if (z < 0 || z >= S[0]) continue;                                                         \
                            for (long kh = 0; kh < K[1]; ++kh) {                                                      \
                                const long y = h * stride[1] + kh * dilation[1] - before[1];                          \
                                if (y < 0 || y >= S[1]) continue;                                                     \
                                for (long kw = 0; kw < K[2]; ++kw) {                                                  \
                                    const long v = w * stride[2] + kw * dilation[2] - before[2];                      \
                                    if (v < 0 || v >= S[2]) continue;                                                 \
                                    const T value = plane[(z * S[1] + y) * S[2] + v];                                 \
                                    if (which < 0 || value > best || value != value) {                                \
                                        best = value;                                                                 \
                                        which = (kd * K[1] + kh) * K[2] + kw;                                         \
                                    }                                                                                 \
                                }                                                                                     \
                            }                                                                                         \
                        }                                                                                             \
                        to[w] = best;                                                                                 \
                        if (at) at[w] = (uint8_t)which;                                                               \
                    }                                                                                                 \
                }                                                                                                     \
        }                                                                                                             \
    }                                                                                                                 \
    static void window_put_##F(long lead, const long* S, const long* P, const long* K, const long* stride,            \
                               const long* before, const long* dilation, const T* y, const uint8_t* number, T* out) { \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long n = 0; n < lead; ++n) {                                                                             \
            T* plane = out + n * S[0] * S[1] * S[2];                                                                  \
            memset(plane, 0, S[0] * S[1] * S[2] * sizeof(T));                                                         \
            for (long d = 0; d < P[0]; ++d)                                                                           \
                for (long h = 0; h < P[1]; ++h)                                                                       \
                    for (long w = 0; w < P[2]; ++w) {                                                                 \
                        const long p = ((n * P[0] + d) * P[1] + h) * P[2] + w, k = number[p];                         \
                        const long z = d * stride[0] + k / K[2] / K[1] * dilation[0] - before[0];                     \
                        const long r = h * stride[1] + k / K[2] % K[1] * dilation[1] - before[1];                     \
                        const long v = w * stride[2] + k % K[2] * dilation[2] - before[2];                            \
                        plane[(z * S[1] + r) * S[2] + v] += y[p];                                                     \
                    }                                                                                                 \
        }                                                                                                             \
    }
ROWS(float, f)
ROWS(double, d)
