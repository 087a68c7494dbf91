#pragma once

#include "autodiff/tape.h"

namespace asap::autodiff {

/// a + b with broadcasting: shapes are aligned at their last dimensions, and a dimension that is
/// missing or of size 1 is repeated. InternalError when they do not fit.
template <class T>
Var<T> add(Var<T> a, Var<T> b);

/// alpha * x
template <class T>
Var<T> scale(Var<T> x, T alpha);

template <class T>
Var<T> exponential(Var<T> x);

/// GELU, tanh form (see tensor/kernels/elementwise.h).
template <class T>
Var<T> gelu(Var<T> x);

/// GELU, exact form.
template <class T>
Var<T> gelu_erf(Var<T> x);

template <class T>
Var<T> hyperbolic_tangent(Var<T> x);

template <class T>
Var<T> relu(Var<T> x);

}  // namespace asap::autodiff
