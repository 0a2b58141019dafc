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
#define LONG_ROWS
#define ALWAYS static inline
#else
#define KERNEL extern "C" __global__
#define LONG_ROWS __launch_bounds__(WIDE)
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

#define WIDE (4 * BLOCK) /* threads of a block that does a long row */

typedef uint8_t bool8;

ALWAYS float exp_f(float x) { return expf(x); }
ALWAYS float expm1_f(float x) { return expm1f(x); }
ALWAYS float log_f(float x) { return logf(x); }
ALWAYS float log1p_f(float x) { return log1pf(x); }
ALWAYS float tanh_f(float x) { return tanhf(x); }
ALWAYS float erf_f(float x) { return erff(x); }
ALWAYS float erfc_f(float x) { return erfcf(x); }
#include "arithmetic.h"
