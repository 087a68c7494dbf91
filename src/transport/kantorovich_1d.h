#pragma once

#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap::transport {

/// Exact optimal transport on the line for the cost c_ij = -s_i t_j between uniform measures on N
/// and M points: the optimal plan matches both in ascending order, so its dual potentials are sums
/// along the sorted sequences. O((N + M) log(N + M)), any N and M, ties allowed (equal values keep
/// their order).
///
/// With both sequences ascending and 0-based,
///   phi_(r+1) - phi_(r) = -(s_(r+1) - s_(r)) * (t_(c1) + t_(c2)) / 2,
///   c1 = ceil((r+1) M / N) - 1,  c2 = floor((r+1) M / N):
/// the targets on both sides of the point where the mass of s_(r) ends. Where they differ every
/// slope between them is optimal; the middle is the one the entropic dual tends to.

/// Query-side potential phi: [N], centred (mean zero). s: [N], t: [M], both not empty.
template <class T>
void kantorovich_potential_1d(tensor::VectorView<const T> s, tensor::VectorView<const T> t,
                              tensor::VectorView<T> phi, tensor::Arena& scratch);

/// Both potentials: phi: [N] centred, psi: [M] with phi_i + psi_j <= c_ij everywhere and equality
/// wherever the monotone plan has mass, so that mean(phi) + mean(psi) is the optimal cost.
template <class T>
void kantorovich_potentials_1d(tensor::VectorView<const T> s, tensor::VectorView<const T> t,
                               tensor::VectorView<T> phi, tensor::VectorView<T> psi,
                               tensor::Arena& scratch);

}  // namespace asap::transport
