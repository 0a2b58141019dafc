/* Convolutions by columns, pooling, rows that share an id: one thread per element, each sum in a fixed order. */
typedef struct {
    long n, c, o, g, size[3], kernel[3], places[3], stride[3], before[3], dilation[3];
} Windows;

/* Place of tap k of window p along the three axes; 0 where it lies outside. */
ALWAYS int tap_place(const Windows* w, long k, long p, long* at) {
    const long tap[3] = {k / w->kernel[2] / w->kernel[1], k / w->kernel[2] % w->kernel[1], k % w->kernel[2]};
    const long window[3] = {p / w->places[2] / w->places[1], p / w->places[2] % w->places[1], p % w->places[2]};
    for (int a = 0; a < 3; ++a) {
        at[a] = window[a] * w->stride[a] + tap[a] * w->dilation[a] - w->before[a];
        if (at[a] < 0 || at[a] >= w->size[a]) return 0;
    }
    return 1;
}

/* The window whose tap k lies at a place; -1 where there is none. */
ALWAYS long window_of(const Windows* w, long k, const long* at) {
    const long tap[3] = {k / w->kernel[2] / w->kernel[1], k / w->kernel[2] % w->kernel[1], k % w->kernel[2]};
    long p = 0;
    for (int a = 0; a < 3; ++a) {
        const long far = at[a] + w->before[a] - tap[a] * w->dilation[a];
        if (far < 0 || far % w->stride[a] || far / w->stride[a] >= w->places[a]) return -1;
        p = p * w->places[a] + far / w->stride[a];
    }
    return p;
}

#define WINDOW_KERNELS(T, F)                                                                                          \
    /* Columns (n, c * taps, places): what lies under each tap of each window. */                                     \
    ALWAYS void columns_##F(const Windows* w, const T* x, T* columns, long i) {                                       \
        const long taps = w->kernel[0] * w->kernel[1] * w->kernel[2];                                                 \
        const long places = w->places[0] * w->places[1] * w->places[2];                                               \
        const long p = i % places, row = i / places % (w->c * taps), n = i / places / (w->c * taps);                  \
        long at[3];                                                                                                   \
        columns[i] = tap_place(w, row % taps, p, at)                                                                  \
            ? x[(((n * w->c + row / taps) * w->size[0] + at[0]) * w->size[1] + at[1]) * w->size[2] + at[2]] : (T)0;   \
    }                                                                                                                 \
    /* The transpose: element i of x is the sum of its places in the columns. */                                      \
    ALWAYS void uncolumns_##F(const Windows* w, const T* columns, T* x, long i) {                                     \
        const long taps = w->kernel[0] * w->kernel[1] * w->kernel[2];                                                 \
        const long places = w->places[0] * w->places[1] * w->places[2];                                               \
        const long plane = i / w->size[2] / w->size[1] / w->size[0];                                                  \
        const long at[3] = {i / w->size[2] / w->size[1] % w->size[0], i / w->size[2] % w->size[1], i % w->size[2]};   \
        T sum = 0;                                                                                                    \
        for (long k = 0; k < taps; ++k) {                                                                             \
            const long p = window_of(w, k, at);                                                                       \
            if (p >= 0) sum += columns[(plane * taps + k) * places + p];                                              \
        }                                                                                                             \
        x[i] = sum;                                                                                                   \
    }                                                                                                                 \
    /* The largest of window i and its number; of equal elements the first, of several NaN the last. */               \
    ALWAYS void window_max_##F(const Windows* w, const T* x, T* out, uint8_t* number, long i) {                       \
        const long taps = w->kernel[0] * w->kernel[1] * w->kernel[2];                                                 \
        const long places = w->places[0] * w->places[1] * w->places[2];                                               \
        const T* plane = x + i / places * w->size[0] * w->size[1] * w->size[2];                                       \
        T best = -(T)INFINITY;                                                                                        \
        long which = -1, at[3];                                                                                       \
        for (long k = 0; k < taps; ++k) {                                                                             \
            if (!tap_place(w, k, i % places, at)) continue;                                                           \
            const T value = plane[(at[0] * w->size[1] + at[1]) * w->size[2] + at[2]];                                 \
            if (value > best || value != value || which < 0) { best = value; which = k; }                             \
        }                                                                                                             \
        out[i] = best;                                                                                                \
        if (number) number[i] = (uint8_t)which;                                                                       \
    }                                                                                                                 \
    /* The transpose: element i of x is the sum of the windows whose largest it is. */                                \
    ALWAYS void window_put_##F(const Windows* w, const T* y, const uint8_t* number, T* x, long i) {                   \
        const long taps = w->kernel[0] * w->kernel[1] * w->kernel[2];                                                 \
        const long places = w->places[0] * w->places[1] * w->places[2];                                               \
        const long plane = i / w->size[2] / w->size[1] / w->size[0];                                                  \
        const long at[3] = {i / w->size[2] / w->size[1] % w->size[0], i / w->size[2] % w->size[1], i % w->size[2]};   \
        T sum = 0;                                                                                                    \
        for (long k = taps - 1; k >= 0; --k) {                                                                        \
            const long p = window_of(w, k, at);                                                                       \
            if (p >= 0 && number[plane * places + p] == k) sum += y[plane * places + p];                              \
        }                                                                                                             \
        x[i] = sum;                                                                                                   \
    }
WINDOW_KERNELS(float, f)
WINDOW_KERNELS(double, d)
