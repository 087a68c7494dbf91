#include "compile/transport_fit.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/transport/sparse_polish.h"
#include "attention/transport/transport_layer.h"
#include "support/expect_error.h"
#include "support/matching_pairs.h"

using namespace asap::attention;
using namespace asap::compile;
using namespace asap::tensor;
using namespace asap::test;

namespace {

constexpr int kIterations = 100;
constexpr std::uint32_t kCalibration = 40, kHeldOut = 20;

TransportMap fitted(int iterations = kIterations) {
  Arena scratch;
  TransportFit fit(iterations);
  for (std::uint32_t p = 0; p < kCalibration; ++p) fit.add(matching_pair(p).problem(), scratch);
  return fit.solve();
}

TransportFitEvidence held_out(const TransportMap& map, int extra) {
  Arena scratch;
  TransportFitEvidence evidence;
  for (std::uint32_t p = 0; p < kHeldOut; ++p)
    evidence.add(matching_pair(1000 + p).problem(), map, kIterations, extra, scratch);
  return evidence;
}

/// Plan L1 between T = 100 and fewer iterations on the same pairs.
double truncation_l1(int iterations) {
  Arena scratch;
  double total = 0;
  for (std::uint32_t p = 0; p < kHeldOut; ++p) {
    const MatchingPair pair = matching_pair(1000 + p);
    OwnDuals<double> teacher(pair.problem()), cut(pair.problem());
    asap::attention::transport<double>(pair.problem(), kIterations, teacher.view(), scratch);
    asap::attention::transport<double>(pair.problem(), iterations, cut.view(), scratch);
    total +=
        transport_plan_l1(pair.problem(), std::as_const(teacher).view(), std::as_const(cut).view());
  }
  return total / kHeldOut;
}

}  // namespace

TEST_CASE("a map fitted to random descriptors is worth five iterations on other pairs") {
  const TransportMap map = fitted();
  const TransportFitEvidence closed = held_out(map, 0), iterated = held_out(map, 1);
  CHECK(closed.problems() == kHeldOut);
  CHECK(closed.dual_r2() > 0.95);
  CHECK(closed.plan_l1() < truncation_l1(5));
  CHECK(closed.column_error() < 0.04);
  CHECK(iterated.plan_l1() < truncation_l1(7));
  CHECK(iterated.plan_l1() < 0.6 * closed.plan_l1());
  CHECK(iterated.column_error() < closed.column_error());
}

TEST_CASE("the sparse polish of a compiled plan is the teacher's but for what it dropped") {
  const TransportMap map = fitted();
  Arena scratch;
  double l1 = 0, entries = 0, dropped = 0;
  for (std::uint32_t p = 0; p < kHeldOut; ++p) {
    const MatchingPair pair = matching_pair(1000 + p);
    OwnDuals<double> teacher(pair.problem()), polished(pair.problem());
    asap::attention::transport<double>(pair.problem(), kIterations, teacher.view(), scratch);
    compiled_transport<double>(pair.problem(), map, 0, polished.view(), scratch);
    SparsePlan<double> plan;
    const PolishEvidence evidence =
        sparse_polish<double>(pair.problem(), {.tolerance = 0}, polished.view(), plan, scratch);
    CHECK(evidence.polished);
    CHECK(evidence.column_error < 1e-5);
    entries += evidence.entries_per_row / kHeldOut;
    dropped += evidence.dropped_bound / kHeldOut;
    l1 += transport_plan_l1(pair.problem(), std::as_const(teacher).view(),
                            std::as_const(polished).view()) /
          kHeldOut;
  }
  CHECK(entries < 20);
  CHECK(l1 < 2 * dropped);
  CHECK(l1 < 0.001);
}

TEST_CASE("masked points have no part in a fit") {
  // The first problem without its last two rows and its last column.
  const MatchingPair pair = matching_pair(0);
  const std::int64_t n = pair.scores.shape()[0] - 2, m = pair.scores.shape()[1] - 1;
  MatchingPair masked = pair, smaller = pair_of_scores(Tensor<double>({n, m}));
  masked.rows[n] = masked.rows[n + 1] = masked.columns[m] = 0;
  masked.rows[n + 2] = static_cast<double>(m);
  masked.columns[m + 1] = static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) smaller.scores.rows()(i, j) = pair.scores.rows()(i, j);
  Arena scratch;
  TransportFit with(5), without(5);
  with.add(masked.problem(), scratch);
  without.add(smaller.problem(), scratch);
  CHECK(with.points() == n);
  CHECK(without.points() == n);
  const TransportMap a = with.solve(), b = without.solve();
  for (int p = 0; p < kTransportFeatures; ++p)
    CHECK(a.weights[p] == doctest::Approx(b.weights[p]).epsilon(1e-9));
}

TEST_CASE("a fit without points is refused") {
  TransportFit fit(3);
  MatchingPair pair{.scores = Tensor<double>({0, 0}), .rows = {0}, .columns = {0}};
  Arena scratch;
  fit.add(pair.problem(), scratch);
  CHECK(fit.points() == 0);
  expect_error<asap::base::DataError>([&] { fit.solve(); }, {"points on both sides"});
  CHECK_THROWS_AS(TransportFit(0), asap::base::InternalError);
}
