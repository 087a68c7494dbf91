#pragma once

#include "attention/compiled/compiled_features.h"

namespace asap::attention {

/// The row dual that the teacher's finite loop would reach if every key were one of a few
/// landmarks. Keys are assigned to the nearest prototype; cluster n has b_n keys with mean c_n.
/// From the teacher's start g_n = c_n . √score_scale q̄, T - 1 iterations of
///   f_i = -log sum_n b_n exp(x_i . c_n + g_n),   g_n = -log sum_i exp(x_i . c_n + f_i),
/// and the row update that begins the loop, give f^(T), up to a constant. Unlike a potential, it
/// shows how far a loop of T iterations is from its limit. O(n (M D + M T)) for M landmarks.
///
/// With Landmarks::starts_on_rows, where the rows are the teacher's keys (key_bias.h), the teacher
/// starts from f_i = x_i . √score_scale k̄, and T iterations of g and f follow.
///
/// Computed in the exp domain in double, and again in the log domain where that leaves its range.
/// out: [n]. InternalError without prototypes or iterations.
template <class T>
void landmark_dual(const CentredHead<T>& head, const Landmarks<T>& landmarks,
                   tensor::VectorView<T> out, tensor::Arena& scratch);

}  // namespace asap::attention
