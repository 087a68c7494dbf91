#define Eigen Eigen_baseline
#define ASAP_GEMM_NAME gemm_baseline
#include "tensor/gemm_eigen-inl.h"
