#pragma once

#include "tensor/core/view.h"

namespace asap::tensor {

/// Elementwise kernels and whole-vector reductions, vectorised for the processor at run time. T is
/// float or double; all vectors of one call have the same length. `accumulate` adds to the output
/// instead of replacing it. Reductions have a fixed order for a given length and processor.

/// out = a + b. `out` may be `a` or `b`.
template <class T>
void add(VectorView<const T> a, VectorView<const T> b, VectorView<T> out);
/// y += alpha * x
template <class T>
void axpy(T alpha, VectorView<const T> x, VectorView<T> y);
/// out (+)= alpha * x
template <class T>
void scale(T alpha, VectorView<const T> x, VectorView<T> out, bool accumulate = false);
/// out (+)= a * b
template <class T>
void multiply(VectorView<const T> a, VectorView<const T> b, VectorView<T> out,
              bool accumulate = false);
/// out = exp(x), in float with a relative error below 3e-7.
template <class T>
void exponential(VectorView<const T> x, VectorView<T> out);

/// GELU in its tanh form (Hendrycks and Gimpel 2016): x * sigmoid(2 z), z = sqrt(2/pi) (x +
/// 0.044715 x^3).
template <class T>
void gelu(VectorView<const T> x, VectorView<T> out);
/// dx (+)= gelu'(x) * dy
template <class T>
void gelu_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx, bool accumulate);
/// GELU in its exact form: x Phi(x), Phi the normal distribution function. Its error
/// is below (4 + x^2) units in the last place of the result (in float by a Chebyshev fit of erfc, Press
/// et al., Numerical Recipes, section 6.2).
template <class T>
void gelu_erf(VectorView<const T> x, VectorView<T> out);
/// dx (+)= (Phi(x) + x phi(x)) * dy
template <class T>
void gelu_erf_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx, bool accumulate);
/// out = tanh(x). For vectors as short as pooled ones.
template <class T>
void hyperbolic_tangent(VectorView<const T> x, VectorView<T> out);
/// dx (+)= (1 - y^2) dy, y being the output of hyperbolic_tangent.
template <class T>
void hyperbolic_tangent_vjp(VectorView<const T> y, VectorView<const T> dy, VectorView<T> dx,
                            bool accumulate);
/// out = max(x, 0)
template <class T>
void relu(VectorView<const T> x, VectorView<T> out);
/// dx (+)= [x > 0] * dy
template <class T>
void relu_vjp(VectorView<const T> x, VectorView<const T> dy, VectorView<T> dx, bool accumulate);

/// sum_i x_i; 0 for an empty vector.
template <class T>
T sum(VectorView<const T> x);
/// sum_i a_i b_i
template <class T>
T dot(VectorView<const T> a, VectorView<const T> b);
/// max_i x_i; -infinity for an empty vector.
template <class T>
T maximum(VectorView<const T> x);

/// Numbers of one AdamW step, bias corrections included (Loshchilov and Hutter 2019, algorithm 2).
template <class T>
struct AdamWStep {
  T learning_rate, beta1, beta2, epsilon, weight_decay;
  T correction1, correction2;  ///< 1 - beta1^t, 1 - beta2^t
  T gradient_scale;            ///< clipping factor applied to the gradient
};
/// Updates weights, first and second moments in place.
template <class T>
void adamw_update(const AdamWStep<T>& step, VectorView<const T> gradient, VectorView<T> weights,
                  VectorView<T> first_moment, VectorView<T> second_moment);

}  // namespace asap::tensor
