#define Eigen Eigen_avx2
#define ASAP_GEMM_NAME gemm_avx2
#include "tensor/gemm_eigen-inl.h"
