// What the ranks of one job tell each other. Runs under mpirun.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "distributed/job/launched_job.h"

using namespace asap::distributed;

namespace {

/// Number i of gradient `index` of a rank, of very different sizes.
float drawn(int rank, std::size_t index, std::size_t i) {
  const double place = 1000.0 * rank + 100.0 * static_cast<double>(index) + static_cast<double>(i);
  return static_cast<float>(std::sin(place) * std::pow(10.0, static_cast<double>(i % 9) - 4));
}

/// Ranks have different numbers of gradients.
std::size_t gradients_of(int rank) { return 1 + static_cast<std::size_t>(rank) % 3; }

std::vector<std::vector<float>> gradients_of_rank(int rank, std::size_t size) {
  std::vector<std::vector<float>> gradients(gradients_of(rank), std::vector<float>(size));
  for (std::size_t g = 0; g < gradients.size(); ++g)
    for (std::size_t i = 0; i < size; ++i) gradients[g][i] = drawn(rank, g, i);
  return gradients;
}

std::vector<float> sum_here(std::size_t size, SumOrder order, int threads) {
  std::vector<std::vector<float>> own = gradients_of_rank(joined_job().rank(), size);
  const std::vector<asap::tensor::VectorView<float>> views(own.begin(), own.end());
  joined_job().sum(views, order, threads);
  return own.front();
}

}  // namespace

TEST_CASE("the fixed order gives every rank the bits of one loop over all gradients") {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{15360}, std::size_t{15361}, std::size_t{300001}})
    for (const int threads : {1, 2}) {
      std::vector<float> expected(size);
      for (int rank = 0; rank < joined_job().size(); ++rank)
        for (const std::vector<float>& gradient : gradients_of_rank(rank, size))
          for (std::size_t i = 0; i < size; ++i) expected[i] += gradient[i];
      REQUIRE(sum_here(size, SumOrder::fixed, threads) == expected);
    }
}

TEST_CASE("sums that begin while gradients are computed have the same bits") {
  const std::size_t size = 300001, part = 20000;  // no multiple of a segment
  for (const SumOrder order : {SumOrder::fixed, SumOrder::any})
    for (int repeat = 0; repeat < 3; ++repeat) {
      const std::vector<float> expected = sum_here(size, order, 1);
      const int rank = joined_job().rank();
      const std::vector<std::vector<float>> values = gradients_of_rank(rank, size);
      std::vector<std::vector<float>> own(values.size(), std::vector<float>(size, -1));
      const std::vector<asap::tensor::VectorView<float>> views(own.begin(), own.end());
      std::vector<std::string> said;
      joined_job().sum(views, order, 2, [&](const FinalFrom& final_from) {
        for (std::size_t end = size; end > 0; end -= std::min(part, end)) {
          const std::size_t begin = end - std::min(part, end);
          for (std::size_t g = 0; g < own.size(); ++g)
            std::copy_n(values[g].begin() + static_cast<std::ptrdiff_t>(begin), end - begin,
                        own[g].begin() + static_cast<std::ptrdiff_t>(begin));
          // One rank says nothing, one is late, and all exchange bytes on the way.
          if ((rank + repeat) % 3 != 0) final_from(begin);
          if ((rank + repeat) % 3 == 1) ::usleep(500);
          if (end == size) said = joined_job().gather(std::to_string(rank));
        }
      });
      REQUIRE(own.front() == expected);
      REQUIRE(static_cast<int>(said.size()) == joined_job().size());
      CHECK(said.back() == std::to_string(joined_job().size() - 1));
      for (std::size_t g = 1; g < own.size(); ++g) REQUIRE(own[g] == values[g]);
    }
}

TEST_CASE("any order gives the sum but for rounding, and the same one on all ranks") {
  const std::size_t size = (std::size_t{1} << 20) + 77;
  const std::vector<float> sum = sum_here(size, SumOrder::any, 1);
  std::vector<double> expected(size), magnitude(size);
  for (int rank = 0; rank < joined_job().size(); ++rank)
    for (const std::vector<float>& gradient : gradients_of_rank(rank, size))
      for (std::size_t i = 0; i < size; ++i) {
        expected[i] += gradient[i];
        magnitude[i] += std::abs(gradient[i]);
      }
  // Each of the additions, fewer than 3 for every rank, rounds by 2^-24 of a partial sum at most.
  const double share = 3 * joined_job().size() * std::ldexp(1.0, -24);
  for (std::size_t i = 0; i < size; ++i)
    REQUIRE(std::abs(sum[i] - expected[i]) <= share * magnitude[i]);
  const std::string bytes(reinterpret_cast<const char*>(sum.data()), size * sizeof(float));
  for (const std::string& other : joined_job().gather(bytes)) CHECK(other == bytes);
}

TEST_CASE("every rank gets the bytes of all, short and long ones, of different lengths") {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{504}, std::size_t{505}, std::size_t{70000}}) {
    const auto text = [&](int rank) {
      return std::string(size + static_cast<std::size_t>(rank) * 300,
                         static_cast<char>('a' + rank));
    };
    const std::vector<std::string> all = joined_job().gather(text(joined_job().rank()));
    REQUIRE(static_cast<int>(all.size()) == joined_job().size());
    for (int rank = 0; rank < joined_job().size(); ++rank)
      CHECK(all[static_cast<std::size_t>(rank)] == text(rank));
  }
}

TEST_CASE("ranks that differ are refused on all of them, with both values") {
  Ranks& ranks = joined_job();
  CHECK_NOTHROW(require_same(ranks, {{"train.batch", "64"}}, "hint"));
  if (ranks.size() == 1) return;
  const std::string own = ranks.rank() == 1 ? "32" : "64";
  try {
    require_same(ranks, {{"seed", "1"}, {"train.batch", own}}, "hint");
    FAIL("expected an error");
  } catch (const asap::base::UsageError& error) {
    const std::string message = error.what();
    CHECK(message.find("train.batch is 32 on rank 1") != std::string::npos);
    CHECK(message.find("64 on rank 0") != std::string::npos);
  }
}

int main(int argc, char** argv) {
  Ranks& ranks = join_job();
  ranks.set_time_limit(60);
  doctest::Context context(argc, argv);
  const int failures = context.run();
  ranks.end(false, 0);
  return failures;
}
