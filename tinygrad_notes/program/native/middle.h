/* The middle of products and convolutions in float32: blocks of results held in registers, and blocks turned around. */
#include <stdint.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#define omp_get_num_threads() 1
#endif

#define LANES 16
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
#ifdef __AVX512F__
#define ROWS 12 /* rows of a block in registers, and vectors of a row */
#define WIDE 2
#else
#define ROWS 6
#define WIDE 1
#endif
#define BLOCK (WIDE * LANES)
#define INLINE static inline __attribute__((always_inline))

static inline long least(long a, long b) { return a < b ? a : b; }
static inline long most(long a, long b) { return a > b ? a : b; }
static inline long whole(long n) { return (n + LANES - 1) / LANES * LANES; }
INLINE vec load(const float* p) { return *(const vec*)p; }
INLINE void store(float* p, vec v) { *(vec*)p = v; }

/* Output channels from `at`: so many vectors are the next block. */
static inline long vectors(long o, long at) { return o - at >= BLOCK ? WIDE : 1; }

/* R rows of positions, V vectors of channels:
     out[r][v] (+)= sum over k, l, c of x[k row + l column + c inc + r step] w[(k, l, c) apart + v]                    */
#define DO_1(M) M(0)
#define DO_2(M) DO_1(M) M(1)
#define DO_3(M) DO_2(M) M(2)
#define DO_4(M) DO_3(M) M(3)
#define DO_5(M) DO_4(M) M(4)
#define DO_6(M) DO_5(M) M(5)
#define DO_7(M) DO_6(M) M(6)
#define DO_8(M) DO_7(M) M(7)
#define DO_9(M) DO_8(M) M(8)
#define DO_10(M) DO_9(M) M(9)
#define DO_11(M) DO_10(M) M(10)
#define DO_12(M) DO_11(M) M(11)
/* Named variables, since compilers keep an array of vectors in memory. */
#define ZERO_1(r) vec a##r = {0};
#define ZERO_2(r) vec a##r = {0}, b##r = {0};
#define READ_1(r) a##r = load(out + r * ld);
#define READ_2(r) a##r = load(out + r * ld), b##r = load(out + r * ld + LANES);
#define ADD_1(r) a##r += from[r * step] * first;
#define ADD_2(r) { const float s = from[r * step]; a##r += s * first; b##r += s * second; }
#define PUT_1(r) store(out + r * ld, a##r);
#define PUT_2(r) store(out + r * ld, a##r); store(out + r * ld + LANES, b##r);
#define FETCH_1(p) const vec first = load(p);
#define FETCH_2(p) const vec first = load(p), second = load(p + LANES);
#define MIDDLE(R, V)                                                                                                  \
    static void middle_##R##_##V(long K, long L, long C, const float* x, long row, long column, long inc, long step,  \
                                 const float* w, long apart, float* out, long ld, int add) {                          \
        DO_##R(ZERO_##V)                                                                                              \
        if (add) { DO_##R(READ_##V) }                                                                                 \
        for (long k = 0; k < K; ++k) for (long l = 0; l < L; ++l) {                                                   \
            const float* from = x + k * row + l * column;                                                             \
            for (long c = 0; c < C; ++c, from += inc, w += apart) { FETCH_##V(w) DO_##R(ADD_##V) }                    \
        }                                                                                                             \
        DO_##R(PUT_##V)                                                                                               \
    }
typedef void (*middle_t)(long, long, long, const float*, long, long, long, long, const float*, long, float*, long, int);
#define EACH(V) MIDDLE(1, V) MIDDLE(2, V) MIDDLE(3, V) MIDDLE(4, V) MIDDLE(5, V) MIDDLE(6, V)
#define TABLE(V) middle_1_##V, middle_2_##V, middle_3_##V, middle_4_##V, middle_5_##V, middle_6_##V
EACH(1)
#if ROWS == 12
#define MORE(V) MIDDLE(7, V) MIDDLE(8, V) MIDDLE(9, V) MIDDLE(10, V) MIDDLE(11, V) MIDDLE(12, V)
#define TABLE_MORE(V) , middle_7_##V, middle_8_##V, middle_9_##V, middle_10_##V, middle_11_##V, middle_12_##V
MORE(1)
EACH(2)
MORE(2)
static const middle_t middles[2][12] = {{TABLE(1) TABLE_MORE(1)}, {TABLE(2) TABLE_MORE(2)}}; /* [V - 1][R - 1] */
#else
static const middle_t middles[1][6] = {{TABLE(1)}};
#endif

/* n rows in so many blocks, as equal as can be: block k of m starts at n k / m. */
static inline long blocks(long n) { return (n + ROWS - 1) / ROWS; }

/* Transposes --------------------------------------------------------------------------------------------------------- */
#if defined(__AVX512F__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
INLINE void turn_block(const float* from, long ld, float* to, long ldt) {
    vec a[16], b[16];
    for (int k = 0; k < 16; ++k) a[k] = load(from + k * ld);
    for (int round = 0; round < 2; ++round) {
        for (int k = 0; k < 8; ++k) { b[2 * k] = LOW(a[k], a[k + 8]); b[2 * k + 1] = HIGH(a[k], a[k + 8]); }
        for (int k = 0; k < 8; ++k) { a[2 * k] = LOW(b[k], b[k + 8]); a[2 * k + 1] = HIGH(b[k], b[k + 8]); }
    }
    for (int k = 0; k < 16; ++k) store(to + k * ldt, a[k]);
}
#define BLOCKWISE 1
#endif
#endif

/* to[c ldt + r] = from[r ld + c] */
static void turn(const float* from, long ld, long rows, long columns, float* to, long ldt) {
    long r = 0;
#ifdef BLOCKWISE
    for (; r + 16 <= rows; r += 16) {
        long c = 0;
        for (; c + 16 <= columns; c += 16) turn_block(from + r * ld + c, ld, to + c * ldt + r, ldt);
        for (; c < columns; ++c) for (long k = r; k < r + 16; ++k) to[c * ldt + k] = from[k * ld + c];
    }
#endif
    for (; r < rows; ++r) for (long c = 0; c < columns; ++c) to[c * ldt + r] = from[r * ld + c];
}

