#include "transport/kantorovich_1d.h"

#include <algorithm>

#include "transport/sorting.h"

namespace asap::transport {
namespace {

/// The potential of `own` against `other`, both ascending, from 0 at the smallest value:
/// [own.size()]. Returns its mean.
template <class T>
double accumulate_slopes(tensor::VectorView<const T> own, tensor::VectorView<const T> other,
                         tensor::VectorView<T> potential) {
  const std::size_t count = own.size();
  // (r + 1) * other.size() / count as quotient and remainder, stepped instead of divided.
  const std::size_t whole_step = other.size() / count, rest_step = other.size() % count;
  std::size_t whole = 0, rest = 0;
  double value = 0, total = 0;
  potential[0] = T(0);
  for (std::size_t r = 0; r + 1 < count; ++r) {
    whole += whole_step;
    rest += rest_step;
    if (rest >= count) {
      rest -= count;
      ++whole;
    }
    const double above = other[whole];
    const double below = rest == 0 ? other[whole - 1] : above;
    value -= (static_cast<double>(own[r + 1]) - own[r]) * 0.5 * (below + above);
    potential[r + 1] = static_cast<T>(value);
    total += value;
  }
  return total / static_cast<double>(count);
}

/// out[order[r]] = sorted[r] + shift
template <class T>
void scatter(tensor::VectorView<const T> sorted, tensor::VectorView<const std::int32_t> order,
             double shift, tensor::VectorView<T> out) {
  for (std::size_t r = 0; r < sorted.size(); ++r) out[order[r]] = static_cast<T>(sorted[r] + shift);
}

}  // namespace

template <class T>
void kantorovich_potential_1d(tensor::VectorView<const T> s, tensor::VectorView<const T> t,
                              tensor::VectorView<T> phi, tensor::Arena& scratch) {
  base::check(!s.empty() && !t.empty() && s.size() == phi.size(),
              "kantorovich_potential_1d: empty or of different lengths");
  const tensor::ArenaScope scope(scratch);
  const auto rows = static_cast<std::int64_t>(s.size());
  const tensor::VectorView<T> sorted_s = scratch.vector<T>(rows), by_rank = scratch.vector<T>(rows);
  const tensor::VectorView<T> sorted_t = scratch.vector<T>(static_cast<std::int64_t>(t.size()));
  const tensor::VectorView<std::int32_t> order = scratch.vector<std::int32_t>(rows);
  sort_with_order(s, sorted_s, order, scratch);
  std::copy(t.begin(), t.end(), sorted_t.begin());
  sort_values(sorted_t);
  const double mean = accumulate_slopes<T>(sorted_s, sorted_t, by_rank);
  scatter<T>(by_rank, order, -mean, phi);
}

template <class T>
void kantorovich_potentials_1d(tensor::VectorView<const T> s, tensor::VectorView<const T> t,
                               tensor::VectorView<T> phi, tensor::VectorView<T> psi,
                               tensor::Arena& scratch) {
  base::check(!s.empty() && !t.empty() && s.size() == phi.size() && t.size() == psi.size(),
              "kantorovich_potentials_1d: empty or of different lengths");
  const tensor::ArenaScope scope(scratch);
  const auto rows = static_cast<std::int64_t>(s.size()), cols = static_cast<std::int64_t>(t.size());
  const tensor::VectorView<T> sorted_s = scratch.vector<T>(rows),
                              sorted_t = scratch.vector<T>(cols);
  const tensor::VectorView<T> by_rank = scratch.vector<T>(std::max(rows, cols));
  const tensor::VectorView<std::int32_t> order_s = scratch.vector<std::int32_t>(rows);
  const tensor::VectorView<std::int32_t> order_t = scratch.vector<std::int32_t>(cols);
  sort_with_order(s, sorted_s, order_s, scratch);
  sort_with_order(t, sorted_t, order_t, scratch);

  const double mean = accumulate_slopes<T>(sorted_s, sorted_t, by_rank.first(s.size()));
  scatter<T>(by_rank.first(s.size()), order_s, -mean, phi);
  // The smallest values are matched, so their constraint is an equality: it fixes the free constant
  // of psi.
  const double smallest = -static_cast<double>(sorted_s[0]) * sorted_t[0] + mean;
  accumulate_slopes<T>(sorted_t, sorted_s, by_rank.first(t.size()));
  scatter<T>(by_rank.first(t.size()), order_t, smallest, psi);
}

template void kantorovich_potential_1d<float>(tensor::VectorView<const float>,
                                              tensor::VectorView<const float>,
                                              tensor::VectorView<float>, tensor::Arena&);
template void kantorovich_potential_1d<double>(tensor::VectorView<const double>,
                                               tensor::VectorView<const double>,
                                               tensor::VectorView<double>, tensor::Arena&);
template void kantorovich_potentials_1d<float>(tensor::VectorView<const float>,
                                               tensor::VectorView<const float>,
                                               tensor::VectorView<float>, tensor::VectorView<float>,
                                               tensor::Arena&);
template void kantorovich_potentials_1d<double>(tensor::VectorView<const double>,
                                                tensor::VectorView<const double>,
                                                tensor::VectorView<double>,
                                                tensor::VectorView<double>, tensor::Arena&);

}  // namespace asap::transport
