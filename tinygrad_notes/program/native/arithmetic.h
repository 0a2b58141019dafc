/* Functions of single elements that are the same text for a CPU and for a GPU, on exp_f and log1p_f of either. */
ALWAYS float expit_f(float x) {
    float e = exp_f(-__builtin_fabsf(x));
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
    float m = x > y ? x : y, d = -__builtin_fabsf(x - y);
    return x == y ? x + 0.693147181f : (x != x || y != y ? NAN : m + log1p_f(exp_f(d)));
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
