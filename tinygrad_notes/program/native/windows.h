/* Where the windows of a convolution lie: samples, channels, outputs, groups; then along three axes, outermost first. */
#ifndef WINDOWS
#define WINDOWS
typedef struct {
    long n, c, o, g, size[3], kernel[3], places[3], stride[3], before[3], dilation[3];
} Windows;
#endif
