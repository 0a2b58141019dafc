/* What generated CUDA kernels use, for nvcc and for NVRTC (CuPy's compiler, which has no headers). */
#ifdef __CUDACC_RTC__
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#define INT64_C(x) x##LL
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fc00000)
#endif
#else
#include <math.h>
#include <stdint.h>
#endif

#ifdef EMULATED /* the same text as C for the CPU, see the tests */
#define KERNEL
#define ALWAYS static inline
#else
#define KERNEL extern "C" __global__
#define ALWAYS __device__ __forceinline__
#define __builtin_fabsf fabsf
#define __builtin_fabs fabs
#define __builtin_sqrtf sqrtf
#define __builtin_sqrt sqrt
#define __builtin_signbit signbit
#endif

#ifndef BLOCK
#define BLOCK 256 /* threads of a block, a power of two */
#endif

typedef uint8_t bool8;

ALWAYS float exp_f(float x) { return expf(x); }
ALWAYS float expm1_f(float x) { return expm1f(x); }
ALWAYS float log_f(float x) { return logf(x); }
ALWAYS float log1p_f(float x) { return log1pf(x); }
ALWAYS float tanh_f(float x) { return tanhf(x); }
ALWAYS float erf_f(float x) { return erff(x); }
ALWAYS float erfc_f(float x) { return erfcf(x); }
ALWAYS float expit_f(float x) {
    float e = expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}
ALWAYS double expit_d(double x) {
    double e = exp(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/* Python's remainder: the sign of the divisor. */
ALWAYS float remainder_f(float x, float y) {
    float r = fmodf(x, y);
    return r != 0.0f ? ((r < 0.0f) != (y < 0.0f) ? r + y : r) : copysignf(0.0f, y);
}
ALWAYS double remainder_d(double x, double y) {
    double r = fmod(x, y);
    return r != 0.0 ? ((r < 0.0) != (y < 0.0) ? r + y : r) : copysign(0.0, y);
}
ALWAYS int64_t remainder_i(int64_t x, int64_t y) {
    if (y == 0) return 0;
    int64_t r = x % y;
    return r != 0 && ((r < 0) != (y < 0)) ? r + y : r;
}
ALWAYS int64_t floor_divide_i(int64_t x, int64_t y) {
    if (y == 0) return 0;
    int64_t q = x / y;
    return (x % y != 0) && ((x < 0) != (y < 0)) ? q - 1 : q;
}
ALWAYS float logaddexp_f(float x, float y) {
    float m = x > y ? x : y, d = -fabsf(x - y);
    return x == y ? x + 0.693147181f : (x != x || y != y ? NAN : m + log1pf(expf(d)));
}
ALWAYS double logaddexp_d(double x, double y) {
    double m = x > y ? x : y, d = -fabs(x - y);
    return x == y ? x + 0.69314718055994530942 : (x != x || y != y ? (double)NAN : m + log1p(exp(d)));
}
ALWAYS int64_t power_i(int64_t x, int64_t n) {
    int64_t r = 1;
    for (; n > 0; n >>= 1, x *= x) if (n & 1) r *= x;
    return r;
}
