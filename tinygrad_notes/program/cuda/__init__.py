"""Fused loops as CUDA C, and what runs them; `kernels` and `executor` say how far that is proven without a GPU."""
