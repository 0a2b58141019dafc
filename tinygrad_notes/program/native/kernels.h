/* Kernels over rows that share an id, and over windows of which the largest element counts. */

/* out[ids[e]] += values[e]: each thread has a stretch of the result and walks all ids, so that sums keep their order. */
#define ROWS(T, F, I)                                                                                                    \
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
    ALWAYS void window_max_##F(long lead, const long* S, const long* P, const long* K, const long* stride,            \
                               const long* before, const long* dilation, const T* x, T* out, uint8_t* number) {       \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long n = 0; n < lead * P[0] * P[1]; ++n) {                                                               \
            const long d = n / P[1] % P[0], h = n % P[1];                                                             \
            const T* plane = x + n / P[1] / P[0] * S[0] * S[1] * S[2];                                                \
            for (long from = 0; from < P[2]; from += 128) {                                                           \
                const long count = P[2] - from < 128 ? P[2] - from : 128;                                             \
                T best[128];                                                                                          \
                I which[128];                                                                                         \
                for (long w = 0; w < count; ++w) { best[w] = -(T)INFINITY; which[w] = -1; }                           \
                for (long kd = 0; kd < K[0]; ++kd) {                                                                  \
                    const long z = d * stride[0] + kd * dilation[0] - before[0];                                      \
                    if (z < 0 || z >= S[0]) continue;                                                                 \
                    for (long kh = 0; kh < K[1]; ++kh) {                                                              \
                        const long r = h * stride[1] + kh * dilation[1] - before[1];                                  \
                        if (r < 0 || r >= S[1]) continue;                                                             \
                        for (long kw = 0; kw < K[2]; ++kw) {                                                          \
                            const long start = from * stride[2] + kw * dilation[2] - before[2];                       \
                            const T* row = plane + (z * S[1] + r) * S[2] + start;                                     \
                            const I k = (I)((kd * K[1] + kh) * K[2] + kw);                                            \
                            const long a = start < 0 ? (-start + stride[2] - 1) / stride[2] : 0;                      \
                            const long over = S[2] - start;                                                           \
                            const long most = over <= 0 ? 0 : (over + stride[2] - 1) / stride[2];                     \
                            const long b = most < count ? most : count;                                               \
                            for (long w = a; w < b; ++w) {                                                            \
                                const T value = row[w * stride[2]];                                                   \
                                const int more = (value > best[w]) | (value != value) | (which[w] < 0);               \
                                best[w] = more ? value : best[w];                                                     \
                                which[w] = more ? k : which[w];                                                       \
                            }                                                                                         \
                        }                                                                                             \
                    }                                                                                                 \
                }                                                                                                     \
                for (long w = 0; w < count; ++w) out[n * P[2] + from + w] = best[w];                                  \
                if (number) for (long w = 0; w < count; ++w) number[n * P[2] + from + w] = (uint8_t)which[w];         \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    ALWAYS void window_put_##F(long lead, const long* S, const long* P, const long* K, const long* stride,            \
                               const long* before, const long* dilation, const T* y, const uint8_t* number, T* out) { \
        long place[256];                                                                                              \
        for (long k = 0; k < K[0] * K[1] * K[2]; ++k)                                                                 \
            place[k] = (k / K[2] / K[1] * dilation[0] * S[1] + k / K[2] % K[1] * dilation[1]) * S[2]                  \
                + k % K[2] * dilation[2];                                                                             \
        _Pragma("omp parallel for num_threads(THREADS) schedule(static)")                                             \
        for (long n = 0; n < lead; ++n) {                                                                             \
            T* plane = out + n * S[0] * S[1] * S[2];                                                                  \
            memset(plane, 0, S[0] * S[1] * S[2] * sizeof(T));                                                         \
            for (long d = 0; d < P[0]; ++d) for (long h = 0; h < P[1]; ++h) {                                         \
                const long p = ((n * P[0] + d) * P[1] + h) * P[2];                                                    \
                const long at = ((d * stride[0] - before[0]) * S[1] + h * stride[1] - before[1]) * S[2] - before[2];  \
                for (long w = 0; w < P[2]; ++w) plane[at + w * stride[2] + place[number[p + w]]] += y[p + w];         \
            }                                                                                                         \
        }                                                                                                             \
    }
ROWS(float, f, int32_t)
ROWS(double, d, int64_t)

/* out[i] = sum over k in start[i] .. start[i + 1] of values[k] x[index[k]], rows of `width`; 2 where there is no such row. */
#define SPARSE(T, F, J)                                                                                               \
    ALWAYS int csr_product_##F##_##J(long n, long m, long width, const T* x, const J* start, const J* index,          \
                                     const T* values, T* out) {                                                       \
        int bad = 0;                                                                                                  \
        _Pragma("omp parallel for num_threads(n * width > 16384 ? THREADS : 1) schedule(static)")                     \
        for (long i = 0; i < n; ++i) {                                                                                \
            T* to = out + i * width;                                                                                  \
            for (long j = 0; j < width; ++j) to[j] = 0;                                                               \
            for (long k = (long)start[i]; k < (long)start[i + 1]; ++k) {                                              \
                if (index[k] < 0 || index[k] >= m) { bad = 2; continue; }                                             \
                const T* from = x + (long)index[k] * width;                                                           \
                const T v = values[k];                                                                                \
                for (long j = 0; j < width; ++j) to[j] += v * from[j];                                                \
            }                                                                                                         \
        }                                                                                                             \
        return bad;                                                                                                   \
    }
SPARSE(float, f, int32_t)
SPARSE(float, f, int64_t)
SPARSE(double, d, int32_t)
SPARSE(double, d, int64_t)
