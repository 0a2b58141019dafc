/* Products of matrices with any strides of which one is 1, through the library that SciPy brings along. The rows (or
   columns) of a large one are shared by our threads, each of which calls the library for its part. */
typedef void (*sgemm_t)(char*, char*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*);
typedef void (*dgemm_t)(char*, char*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*);
static sgemm_t sgemm_;
static dgemm_t dgemm_;
static int (*blas_threads)(void);      /* 0 where the library cannot be asked: then it uses threads of its own */
static void (*set_blas_threads)(int);
void set_blas(void* s, void* d, void* get, void* set) {
    sgemm_ = (sgemm_t)s;
    dgemm_ = (dgemm_t)d;
    blas_threads = (int (*)(void))get;
    set_blas_threads = (void (*)(int))set;
}

#define PRODUCT 16000000.0 /* multiplications from which a second thread pays */

/* Row-major out (m, n) = x (m, k) y (k, n) is column-major out' = y' x'. */
#define GEMM(NAME, TYPE, CALL)                                                                                        \
    /* The product by this thread alone; with `add`, added to what is there. */                                       \
    static void NAME##_add(int m, int n, int k, const TYPE* x, long xr, long xc, const TYPE* y, long yr, long yc,     \
                           TYPE* q, int ld, int add) {                                                                \
        TYPE one = 1, beta = add ? 1 : 0;                                                                             \
        char tx = (xc == 1 || k == 1) && (xr >= k || m == 1) ? 'N' : 'T';                                             \
        char ty = (yc == 1 || n == 1) && (yr >= n || k == 1) ? 'N' : 'T';                                             \
        int lx = (int)(tx == 'N' ? xr : xc), ly = (int)(ty == 'N' ? yr : yc);                                         \
        if (lx < (tx == 'N' ? k : m)) lx = tx == 'N' ? k : m;                                                         \
        if (ly < (ty == 'N' ? n : k)) ly = ty == 'N' ? n : k;                                                         \
        CALL(&ty, &tx, &n, &m, &k, &one, (TYPE*)y, &ly, (TYPE*)x, &lx, &beta, q, &ld);                               \
    }                                                                                                                 \
    static void NAME##_1(int m, int n, int k, const TYPE* x, long xr, long xc, const TYPE* y, long yr, long yc,       \
                         TYPE* q, int ld) {                                                                           \
        NAME##_add(m, n, k, x, xr, xc, y, yr, yc, q, ld, 0);                                                          \
    }                                                                                                                 \
    static void NAME(int m, int n, int k, const TYPE* x, long xr, long xc, const TYPE* y, long yr, long yc, TYPE* q,  \
                     int ld) {                                                                                        \
        if (THREADS == 1 || !set_blas_threads || (double)m * n * k < PRODUCT) {                                       \
            NAME##_1(m, n, k, x, xr, xc, y, yr, yc, q, ld);                                                           \
            return;                                                                                                   \
        }                                                                                                             \
        _Pragma("omp parallel num_threads(THREADS)") {                                                                \
            const long t = omp_get_thread_num(), all = omp_get_num_threads();                                         \
            if (m >= n) {                                                                                             \
                const long a = m * t / all, b = m * (t + 1) / all;                                                    \
                if (b > a) NAME##_1((int)(b - a), n, k, x + a * xr, xr, xc, y, yr, yc, q + a * ld, ld);               \
            } else {                                                                                                  \
                const long a = n * t / all / 16 * 16, b = t + 1 == all ? n : n * (t + 1) / all / 16 * 16;             \
                if (b > a) NAME##_1(m, (int)(b - a), k, x, xr, xc, y + a * yc, yr, yc, q + a, ld);                    \
            }                                                                                                         \
        }                                                                                                             \
    }
GEMM(gemm_f, float, sgemm_)
GEMM(gemm_d, double, dgemm_)

/* Of products.c: one side is narrow. */
extern void product(long, long, long, long, const float*, long, long, const float*, long, long, float*, long, float*);
