/* Functions of single elements, written so that compilers turn loops over them into vector instructions.
   float32: polynomials fitted for this file (relative error about 1e-9 before rounding); float64: the C library. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t bool8;
#define ALWAYS static inline __attribute__((always_inline)) /* a call would keep a loop from becoming vector instructions */

#ifdef __FMA__
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

ALWAYS float bits_to_float(int32_t i) { float f; memcpy(&f, &i, 4); return f; }
ALWAYS int32_t float_to_bits(float f) { int32_t i; memcpy(&i, &f, 4); return i; }

/* exp(x) = 2^n (1 + r + r^2 p(r)), x = n log 2 + r; the power of two in two steps, so that it may be below the smallest. */
ALWAYS float exp_f(float x) {
    float c = x > 88.8f ? 88.8f : (x < -104.0f ? -104.0f : x);
    float n = __builtin_rintf(c * 1.44269504f);
    float r = FMA(n, -0.693359375f, c);
    r = FMA(n, 2.12194440e-4f, r);
    float p = FMA(1.979035733e-04f, r, 1.394464984e-03f);
    p = FMA(p, r, 8.333496749e-03f);
    p = FMA(p, r, 4.166629538e-02f);
    p = FMA(p, r, 1.666666567e-01f);
    p = FMA(p, r, 0.5f);
    p = FMA(p, r * r, r) + 1.0f;
    int32_t i = (int32_t)n, half = i >> 1;
    return p * bits_to_float((half + 127) << 23) * bits_to_float((i - half + 127) << 23);
}

/* exp(x) - 1 = 2^n (r + r^2 p(r)) + (2^n - 1) */
ALWAYS float expm1_f(float x) {
    float c = x > 80.0f ? 80.0f : (x < -30.0f ? -30.0f : x);
    float n = __builtin_rintf(c * 1.44269504f);
    float r = FMA(n, -0.693359375f, c);
    r = FMA(n, 2.12194440e-4f, r);
    float p = FMA(1.991355966e-04f, r, 1.394101186e-03f);
    p = FMA(p, r, 8.333274163e-03f);
    p = FMA(p, r, 4.166635498e-02f);
    p = FMA(p, r, 1.666666716e-01f);
    p = FMA(p, r, 0.5f);
    p = FMA(p, r * r, r);
    float scale = bits_to_float(((int32_t)n + 127) << 23);
    float near = FMA(p, scale, scale - 1.0f);
    return x == 0.0f ? x : (x > 80.0f ? exp_f(x) : near);
}

/* log(m 2^e) = e log 2 + log(1 + f) = e log 2 + f - f^2 / 2 + f^3 p(f) */
ALWAYS float log_f(float x) {
    float tiny = x < 1.17549435e-38f ? 8388608.0f : 1.0f;
    float y = x * tiny;
    int32_t i = float_to_bits(y);
    int32_t e = ((i - 0x3f3504f3) >> 23);
    float f = bits_to_float(i - (int32_t)((uint32_t)e << 23)) - 1.0f;
    float k = (float)e - (tiny == 1.0f ? 0.0f : 23.0f);
    float p = FMA(6.727898866e-02f, f, -1.148471609e-01f);
    p = FMA(p, f, 1.178774610e-01f);
    p = FMA(p, f, -1.243335158e-01f);
    p = FMA(p, f, 1.423875839e-01f);
    p = FMA(p, f, -1.666693389e-01f);
    p = FMA(p, f, 2.000097483e-01f);
    p = FMA(p, f, -2.500001490e-01f);
    p = FMA(p, f, 3.333333433e-01f);
    float s = f * f;
    float r = FMA(p * f, s, k * -2.12194440e-4f);
    r = FMA(-0.5f, s, r) + f;
    r = FMA(k, 0.693359375f, r);
    r = x == INFINITY ? x : r;
    r = x == 0.0f ? -INFINITY : r;
    return x < 0.0f || x != x ? NAN : r;
}

ALWAYS float log1p_f(float x) {
    float u = 1.0f + x;
    float r = log_f(u) + (x - (u - 1.0f)) / u;
    r = u == 1.0f ? x : r;
    return x == INFINITY || x == -1.0f ? log_f(u) : r;
}

ALWAYS float tanh_f(float x) {
    float a = __builtin_fabsf(x), s = x * x;
    float p = FMA(-5.528624635e-03f, s, 2.048330568e-02f);
    p = FMA(p, s, -5.369296297e-02f);
    p = FMA(p, s, 1.333089918e-01f);
    p = FMA(p, s, -3.333326280e-01f);
    float small = x == 0.0f ? x : FMA(p * s, x, x);
    float large = 1.0f - 2.0f / (exp_f(2.0f * a) + 1.0f);
    return a < 0.625f ? small : __builtin_copysignf(large, x);
}

/* erfc(x) = exp(-x^2) w(x) for x >= 1, with x^2 in two parts so that the exponent keeps its digits. */
ALWAYS float erfc_tail_f(float a) {
    float q = (a - 3.0f) / (a + 3.0f);
    float w = FMA(4.552687824e-05f, q, 4.019314292e-05f);
    w = FMA(w, q, -5.875786301e-04f);
    w = FMA(w, q, 7.080045179e-04f);
    w = FMA(w, q, 4.267242271e-03f);
    w = FMA(w, q, -2.439239621e-02f);
    w = FMA(w, q, 7.166599482e-02f);
    w = FMA(w, q, -1.501159519e-01f);
    w = FMA(w, q, 2.456037998e-01f);
    w = FMA(w, q, -3.262335658e-01f);
    w = FMA(w, q, 1.790011525e-01f);
    float high = bits_to_float(float_to_bits(a) & (int32_t)0xfffff000);
    return exp_f(-high * high) * exp_f((high - a) * (high + a)) * w;
}

ALWAYS float erf_near_f(float x) {
    float s = x * x;
    float p = FMA(7.853857824e-05f, s, -8.010192541e-04f);
    p = FMA(p, s, 5.188327748e-03f);
    p = FMA(p, s, -2.685381100e-02f);
    p = FMA(p, s, 1.128358543e-01f);
    p = FMA(p, s, -3.761262596e-01f);
    p = FMA(p, s, 1.28379167e-01f);
    return FMA(p, x, x);
}

ALWAYS float erf_f(float x) {
    float a = __builtin_fabsf(x), b = a > 11.0f ? 11.0f : (a < 1.0f ? 1.0f : a);
    float large = __builtin_copysignf(1.0f - erfc_tail_f(b), x);
    return a < 1.0f ? erf_near_f(x) : (x != x ? x : large);
}

ALWAYS float erfc_f(float x) {
    float a = __builtin_fabsf(x), b = a > 11.0f ? 11.0f : (a < 1.0f ? 1.0f : a);
    float t = erfc_tail_f(b);
    float large = x < 0.0f ? 2.0f - t : t;
    return a < 1.0f ? 1.0f - erf_near_f(x) : (x != x ? x : large);
}

#include "arithmetic.h"
