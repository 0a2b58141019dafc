/* Products of matrices with any strides of which one is 1, through the library that SciPy brings along. */
typedef void (*sgemm_t)(char*, char*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*);
typedef void (*dgemm_t)(char*, char*, int*, int*, int*, double*, double*, int*, double*, int*, double*, double*, int*);
static sgemm_t sgemm_;
static dgemm_t dgemm_;
void set_blas(void* s, void* d) { sgemm_ = (sgemm_t)s; dgemm_ = (dgemm_t)d; }

/* Row-major out (m, n) = x (m, k) y (k, n) is column-major out' = y' x'. */
#define GEMM(NAME, TYPE, CALL)                                                                                        \
    static void NAME(int m, int n, int k, const TYPE* x, long xr, long xc, const TYPE* y, long yr, long yc, TYPE* q,  \
                     int ld) {                                                                                        \
        TYPE one = 1, zero = 0;                                                                                       \
        char tx = (xc == 1 || k == 1) && (xr >= k || m == 1) ? 'N' : 'T', ty = (yc == 1 || n == 1) && (yr >= n || k == 1) ? 'N' : 'T';                      \
        int lx = (int)(tx == 'N' ? xr : xc), ly = (int)(ty == 'N' ? yr : yc);                                         \
        if (lx < (tx == 'N' ? k : m)) lx = tx == 'N' ? k : m;                                                         \
        if (ly < (ty == 'N' ? n : k)) ly = ty == 'N' ? n : k;                                                         \
        CALL(&ty, &tx, &n, &m, &k, &one, (TYPE*)y, &ly, (TYPE*)x, &lx, &zero, q, &ld);                               \
    }
GEMM(gemm_f, float, sgemm_)
GEMM(gemm_d, double, dgemm_)
